"""A simulated time that all nodes follow jumps; in a graph of its own, as the others follow none."""

from __future__ import annotations

from pathlib import Path

import pytest
from fault_cases import SIM_CLOCK
from fault_times import FaultTimes
from fault_trial import suffer_clock

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


@pytest.mark.parametrize("moving", [False, True], ids=["standing", "moving"])
def test_sim_time(tmp_path: Path, fault_times: FaultTimes, moving: bool) -> None:
    suffer_clock(tmp_path, SIM_CLOCK, moving=moving, sim_time=True)
    fault_times.add(SIM_CLOCK, None, moving=moving)
