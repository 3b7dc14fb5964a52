"""A simulated time that all nodes follow jumps; in a graph of its own, as the others follow none."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from fault_cases import READY, SIM_CLOCK
from fault_times import FaultTimes
from fault_trial import assert_within_limits, scene
from frs_msgs.msg import ArmState
from joint_motion import AT_REST, speed

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


@pytest.mark.parametrize("moving", [False, True], ids=["standing", "moving"])
def test_sim_time(tmp_path: Path, fault_times: FaultTimes, moving: bool) -> None:
    with scene(tmp_path, sim_time=True) as running:
        graph = running.graph
        if moving:
            graph.begin()
        else:
            graph.until(lambda: graph.arm and graph.arm[-1].message.state in READY, "an arm that is claimed and waits")
            graph.until(lambda: graph.joints and speed(graph.joints[-1]) < AT_REST, "an arm at rest")
        del graph.joints[:-1], graph.arm[:-1]
        pids = graph.pids()
        with SIM_CLOCK.inject(running):
            if moving:
                graph.until_moving(time.time_ns())
        assert graph.pids() == pids
        assert_within_limits(graph)
        assert not {ArmState.FAULT, ArmState.STOPPED} & {heard.message.state for heard in graph.arm}
        if not moving:
            assert max(map(speed, graph.joints)) < AT_REST, "the arm moved"
            first, last = graph.joints[0].message, graph.joints[-1].message
            np.testing.assert_allclose(last.position, first.position, atol=2e-3)
        fault_times.add(SIM_CLOCK, None, moving=moving)
        graph.forget()  # its end is asked of nobody
