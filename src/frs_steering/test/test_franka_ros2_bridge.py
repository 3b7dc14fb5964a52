"""The bridge between arm_controller and what franka_ros2 shows, as processes; franka_ros2 itself is a stand-in."""

from __future__ import annotations

import importlib.util
import itertools
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import franka_ros2_peer
import pytest
from arm_stand_in import ArmStandIn
from cell_stand_in import Start
from diagnostics_ear import DiagnosticsEar
from frs_msgs.msg import ArmState

from frs_steering.health.report import Level

Procs = Callable[..., Any]
BRIDGE = (sys.executable, "-m", "frs_steering.nodes.franka_ros2_bridge")
REFLEX, USER_STOPPED, MOVE, GUIDING = 4, 5, 2, 3


@pytest.fixture(scope="module")
def with_franka_msgs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return franka_ros2_peer.build(tmp_path_factory.getbasetemp() / "franka")


@pytest.fixture
def show(with_franka_msgs: dict[str, str], procs: Procs) -> Callable[[str], None]:
    """Tell the stand-in for franka_ros2 what to show."""
    peer = procs(sys.executable, franka_ros2_peer.__file__, env=with_franka_msgs, stdin=subprocess.PIPE)
    peer.wait_for_text("shows a robot")

    told = itertools.count(1)

    def tell(line: str) -> None:
        peer.stdin.write(line + "\n")
        peer.stdin.flush()
        peer.wait_for_text(f"obeyed {next(told)}\n")

    return tell


@pytest.mark.skipif(importlib.util.find_spec("franka_msgs") is not None, reason="franka_ros2 is installed")
def test_without_franka_ros2_it_says_so(procs: Procs) -> None:
    bridge = procs(*BRIDGE)
    assert bridge.wait(20) == 1
    (line,) = bridge.text().strip().splitlines()
    assert line.startswith("error: the package franka_msgs of franka_ros2 can't be imported; build franka_ros2")


def start_controller(arm: ArmStandIn, start_node: Start) -> None:
    """Start the controller and wait until it has no fault."""
    start_node("arm_controller", joint_state_timeout=2.0)
    arm.until(lambda: bool(arm.states), 20.0, "a controller")
    if "its state" in arm.states[-1].message:  # a busy machine let the robot's state come late
        arm.until_success(arm.recover, 10.0)


def test_the_robots_errors_are_faults_and_recovered_from(
    show: Callable[[str], None], arm: ArmStandIn, procs: Procs, start_node: Start, with_franka_msgs: dict[str, str]
) -> None:
    ear = DiagnosticsEar(arm)
    bridge = procs(*BRIDGE, env=with_franka_msgs)
    start_controller(arm, start_node)
    ear.until("arm_controller: arm", Level.OK, "no owner")
    ear.until("franka_ros2_bridge: robot", Level.OK, "follows")
    assert ear.values("franka_ros2_bridge: robot")["mode"] == "MOVE"
    assert arm.claim().success
    arm.send(1)
    arm.until_moving()
    show(f"{REFLEX} joint_reflex")
    state = arm.until_state(ArmState.FAULT, 2.0)
    assert state.message.startswith("the robot says: joint_reflex (a joint met more torque than its threshold); call ")
    ear.until("franka_ros2_bridge: robot", Level.ERROR, "joint_reflex")
    arm.until(lambda: not arm.commands[-1].velocity.any(), 1.0, "rest")
    show("fails")
    answered = arm.call(arm.recover)
    assert answered.message == "the robot did not recover: franka_ros2's error recovery failed; see franka_ros2's log"
    show("well")
    arm.until_success(arm.recover, 10.0)
    arm.until_state(ArmState.HOLDING)
    bridge.wait_for_text("the robot follows")

    for mode, words in (
        (USER_STOPPED, "the user stop is pressed: release it"),
        (GUIDING, "somebody guides the arm by hand: let it go"),
    ):
        show(str(mode))
        arm.until(lambda: words in arm.states[-1].message, 5.0, words)  # noqa: B023 - looked at at once
        assert f"{words} first" in arm.call(arm.recover).message
    show(str(MOVE))
    arm.until_success(arm.recover, 10.0)
    arm.until_state(ArmState.HOLDING)


def test_a_lost_robot_is_a_fault_though_its_last_state_knew_no_error(
    show: Callable[[str], None], arm: ArmStandIn, procs: Procs, start_node: Start, with_franka_msgs: dict[str, str]
) -> None:
    ear = DiagnosticsEar(arm)
    procs(*BRIDGE, env=with_franka_msgs)
    ear.until("franka_ros2_bridge: robot", Level.OK, "follows")
    start_controller(arm, start_node)
    ear.until("arm_controller: arm", Level.OK, "no owner")
    for how, words in (("still", "its state stands still"), ("silent", "its state comes no more")):
        show(how)
        arm.until_state(ArmState.FAULT, 5.0)
        arm.until(lambda: words in arm.states[-1].message, 5.0, words)  # noqa: B023 - looked at at once
        assert "still says: its state" in arm.call(arm.recover).message
        show("well")
        arm.until_success(arm.recover, 10.0)
        arm.until_state(ArmState.IDLE)


def test_without_a_broadcaster_it_says_that_it_knows_nothing(
    arm: ArmStandIn, procs: Procs, with_franka_msgs: dict[str, str]
) -> None:
    ear = DiagnosticsEar(arm)
    procs(*BRIDGE, "--ros-args", "-p", "state_topic:=elsewhere/robot_state", env=with_franka_msgs)
    ear.until("franka_ros2_bridge: robot", Level.STALE, "no state of the robot came on /elsewhere/robot_state")
