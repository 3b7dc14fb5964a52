"""The wall clock of all nodes jumps; in a graph of its own, as DDS may remember the jump (docs/safety.md, Clocks)."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from fault_cases import wall_time_jumps
from fault_trial import assert_within_limits, scene
from frs_msgs.msg import ArmState

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


def test_wall_time(ros: ModuleType, tmp_path: Path) -> None:
    with scene(ros, tmp_path) as running:
        graph = running.graph
        graph.begin()
        pids = graph.pids()
        with wall_time_jumps(running):
            tick = graph.arm[-1].message.tick
            graph.until(lambda: graph.arm[-1].message.tick > tick + 15, "a second of control steps")
        assert graph.pids() == pids
        assert_within_limits(graph)
        assert ArmState.STOPPED not in {heard.message.state for heard in graph.arm}
        graph.forget()  # its end is asked of nobody
