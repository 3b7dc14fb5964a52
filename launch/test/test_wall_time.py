"""The wall clock of all nodes jumps; in a graph of its own, as DDS may remember the jump (docs/safety.md, Clocks)."""

from __future__ import annotations

from pathlib import Path

import pytest
from fault_cases import WALL_CLOCK
from fault_times import FaultTimes
from fault_trial import suffer_clock

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


@pytest.mark.parametrize("moving", [False, True], ids=["standing", "moving"])
def test_wall_time(tmp_path: Path, fault_times: FaultTimes, moving: bool) -> None:
    suffer_clock(tmp_path, WALL_CLOCK, moving=moving, sim_time=False)
    fault_times.add(WALL_CLOCK, None, moving=moving)
