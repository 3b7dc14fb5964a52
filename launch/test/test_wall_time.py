"""The wall clock of all nodes jumps; in a graph of its own, as DDS may remember the jump (docs/safety.md, Clocks)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fault_cases import READY, WALL_CLOCK
from fault_times import FaultTimes
from fault_trial import assert_within_limits, scene
from frs_msgs.msg import ArmState
from joint_motion import AT_REST, speed

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


@pytest.mark.parametrize("moving", [False, True], ids=["standing", "moving"])
def test_wall_time(tmp_path: Path, fault_times: FaultTimes, moving: bool) -> None:
    with scene(tmp_path) as running:
        graph = running.graph
        if moving:
            graph.begin()
        else:
            graph.until(lambda: graph.arm and graph.arm[-1].message.state in READY, "an arm that is claimed and waits")
            graph.until(lambda: graph.joints and speed(graph.joints[-1]) < AT_REST, "an arm at rest")
        del graph.joints[:-1], graph.arm[:-1]
        pids = graph.pids()
        with WALL_CLOCK.inject(running):
            tick = graph.arm[-1].message.tick
            graph.until(lambda: graph.arm[-1].message.tick > tick + 15, "a second of control steps")
        assert graph.pids() == pids
        assert_within_limits(graph)
        assert ArmState.STOPPED not in {heard.message.state for heard in graph.arm}
        if not moving:
            assert max(map(speed, graph.joints)) < AT_REST, "the arm moved"
            first, last = graph.joints[0].message, graph.joints[-1].message
            np.testing.assert_allclose(last.position, first.position, atol=2e-3)
        fault_times.add(WALL_CLOCK, None, moving=moving)
        graph.forget()  # its end is asked of nobody
