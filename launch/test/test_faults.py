"""What is wrong is named, and nothing moves: a chunk, a camera, a parameter. All processes are the real ones.

Missing weights are in test_demo; further chunks, queries and parameters in the tests of the nodes themselves.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from frs_msgs.msg import ActionChunk, ActionSpace, ArmState, GateReport
from joint_motion import AT_REST, Heard, speed
from real_graph import RealGraph, real_graph
from sim_graph import executable

from frs_bringup.description import Process
from frs_steering.nodes.qos import COMMAND
from frs_steering.robot.fr3 import BASE_FRAME

pytestmark = [pytest.mark.whole_graph, pytest.mark.timeout(240)]

ROW = [0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
HORIZON = 16

READY = (ArmState.ARMED, ArmState.HOLDING)
"""States of an arm that has an owner and waits for a chunk."""


def without_wrist_camera(process: Process) -> Process:
    """The simulation shows the wrist camera's images to nobody."""
    if process.name != "sim":
        return process
    return dataclasses.replace(process, remappings={"camera/wrist/color/image_raw": "nobody/looks/here"})


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealGraph]:
    """The configuration `sim`, but for a camera that never comes."""
    directory = tmp_path_factory.mktemp("faults")
    with real_graph(directory, peer_timeout=5.0, change=without_wrist_camera) as running:
        yield running


def at_least(count: int, heard: list[Heard]) -> list[Heard]:
    """All of them, or none where they are too few."""
    return heard if len(heard) >= count else []


def assert_no_motion(graph: RealGraph, since: int) -> None:
    """The arm has been at rest since a moment, by its own joint states, and where it was."""
    joints = graph.until(lambda: at_least(20, [heard for heard in graph.joints if heard.sent >= since]), "joint states")
    assert max(map(speed, joints)) < AT_REST
    np.testing.assert_allclose(joints[-1].message.position, joints[0].message.position, atol=2e-3)


@pytest.mark.parametrize(
    ("change", "reason", "words"),
    [
        (
            {"rows": [math.nan, *ROW[1:]] * HORIZON},
            GateReport.REASON_NOT_FINITE,
            "rejected chunk 1: 16 values are not finite, first nan in row 0, column 0",
        ),
        (
            {"horizon": 15},
            GateReport.REASON_WRONG_SHAPE,
            "rejected chunk 1: 112 values for horizon 15 and dim 7; there must be horizon x dim",
        ),
        (
            {"action_space": ActionSpace(value=ActionSpace.JOINT_VELOCITY)},
            GateReport.REASON_WRONG_SPACE,
            "rejected chunk 1: action space JOINT_VELOCITY; this arm is set to CARTESIAN_VELOCITY",
        ),
    ],
)
def test_a_chunk_that_is_no_good(graph: RealGraph, change: dict[str, Any], reason: int, words: str) -> None:
    """It comes in the owner's name, to an arm that would move on a good one."""
    chunk = ActionChunk(chunk_id=1, horizon=HORIZON, dim=7, rows=ROW * HORIZON, row_duration=1 / 15)
    chunk.header.frame_id = BASE_FRAME
    chunk.action_space.value = ActionSpace.CARTESIAN_VELOCITY
    chunk.lease.nanosec = 300_000_000
    for name, value in change.items():
        setattr(chunk, name, value)
    graph.until(lambda: graph.arm and graph.arm[-1].message.state in READY, "an arm that is claimed")
    publisher = graph.node.create_publisher(ActionChunk, "action_chunk", COMMAND)
    begun = time.time_ns()

    def told() -> bool:
        now = graph.arm[-1].message
        # Again on each control step until it is heard, but where joint states are late: their reason would come first.
        if chunk.first_tick <= now.tick and now.state in READY:
            chunk.owner_epoch, chunk.first_tick = now.owner_epoch, now.tick + 1
            publisher.publish(chunk)
        return words in graph.said("arm_controller")

    graph.until(told, f"{words!r} in the log of arm_controller")
    tick = graph.arm[-1].message.tick
    graph.until(lambda: graph.arm[-1].message.tick > tick + 5, "further control steps")

    def judged() -> set[tuple[int, int]]:
        reports = [heard.message for heard in graph.reports if heard.sent > begun and heard.message.chunk_id]
        return {(report.verdict, report.reason) for report in reports}

    graph.until(lambda: (GateReport.REJECTED, reason) in judged(), "the gate's report of it")
    # On a busy machine it may be refused for late joint states, or for a claim that was renewed meanwhile, as well.
    assert {verdict for verdict, _ in judged()} == {GateReport.REJECTED}
    graph.until(lambda: graph.arm[-1].message.state in READY, "an arm that waits")
    assert_no_motion(graph, begun)
    graph.node.destroy_publisher(publisher)


def test_a_camera_that_never_comes(graph: RealGraph) -> None:
    graph.chunks.clear()
    graph.begin(moves=False)
    begun = time.time_ns()
    result = graph.result()
    assert not result.success
    assert "no decision for 5.0 s; flow_steering: inactive" in result.message
    assert "the policy can't act: camera 'wrist' never came" in result.message
    assert not graph.chunks
    assert_no_motion(graph, begun)


@pytest.mark.parametrize(
    ("node_name", "parameter", "value", "right"),
    [
        ("flow_steering", "method", "frs:steps=0", "[1, 1000]"),
        ("flow_steering", "method", "frs:steps=ten", "a whole number"),
        ("flow_steering", "method", "magic", "one of base, frs"),
        ("flow_steering", "method", "noise", "needs a noise from outside"),
        ("flow_steering", "mode", "steering", "one of steer, base"),
        ("arm_controller", "joint_speed", "fast", "type float"),
        ("vla_inference", "threads", "1.5", "type int"),
        ("episode", "peer_timeout", "0.5", "300.0"),
        ("episode", "peer_timeout", "soon", "type float"),
    ],
)
def test_a_parameter_that_is_wrong(
    procs: Callable[..., Any], node_name: str, parameter: str, value: str, right: str
) -> None:
    package = "frs_sim" if node_name == "episode" else "frs_steering"
    process = procs(executable(node_name, package), "--ros-args", "-p", f"{parameter}:={value}")
    assert process.wait(60.0) == 1
    (line,) = process.text().splitlines()
    assert line.startswith(f"error: parameter {parameter!r} of node {node_name!r}")
    assert value in line
    assert right in line
