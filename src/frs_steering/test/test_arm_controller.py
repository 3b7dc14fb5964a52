"""The arm controller as a process: what moves the arm over real DDS, and above all what doesn't."""

from __future__ import annotations

import math
import signal
import time
from typing import Any

import numpy as np
import pytest
from arm_stand_in import ArmStandIn, assert_at_most_one_left_out
from builtin_interfaces.msg import Duration
from cell_stand_in import Start
from frs_msgs.msg import ArmState, GateReport

from frs_steering.arm.states import State
from frs_steering.arm.verdicts import Reason, Verdict
from frs_steering.robot.fr3 import BASE_FRAME, RESET_POSITION
from frs_steering.robot.kinematics import pose_and_jacobian, tcp_pose

LIMIT = 8.0 / 15 + 1e-6
"""rad/s that a joint's commanded velocity may change in a control step."""
TRAVEL = 0.1
"""s that a busy machine may take to bring a command to the arm and its moment to the test."""


def greatest_change(arm: ArmStandIn) -> float:
    """Of a joint's commanded velocity between two control steps [rad/s], from the reports, of which none is lost."""
    commanded = [report.commanded for report in arm.reports if report.row >= 0 or report.verdict == GateReport.HELD]
    return float(np.abs(np.diff(commanded, axis=0)).max())


def claimed(arm: ArmStandIn, start_node: Start, **parameters: object) -> Any:
    """The controller's process, with the arm claimed."""
    process = start_node("arm_controller", **parameters)
    arm.until_state(ArmState.IDLE)
    assert arm.claim().success
    arm.until_state(ArmState.ARMED)
    return process


@pytest.fixture
def controller(arm: ArmStandIn, start_node: Start) -> Any:
    """The controller's process, with the arm claimed, and patient with a test that comes late with joint states."""
    return claimed(arm, start_node, joint_state_timeout=2.0)


def test_numbers_are_those_of_the_messages() -> None:
    for state in State:
        assert getattr(ArmState, state.name) == state
    for verdict in Verdict:
        assert getattr(GateReport, verdict.name) == verdict
    for reason in Reason:
        assert getattr(GateReport, f"REASON_{reason.name}") == reason


def test_a_chunk_drives_and_everything_is_told(controller: Any, arm: ArmStandIn) -> None:
    arm.send(1)
    assert arm.verdict_on(1).verdict == GateReport.ACCEPTED
    arm.until_moving()
    state = arm.until_state(ArmState.RUNNING)
    assert (state.owner, state.owner_epoch, state.chunk_id) == ("steering", arm.epoch, 1)
    assert state.header.frame_id == BASE_FRAME
    arm.until(lambda: arm.states[-1].row >= 8, 5.0, "row 8")
    arm.until_state(ArmState.HOLDING)
    moved = tcp_pose(arm.position)[:3, 3] - tcp_pose(RESET_POSITION)[:3, 3]
    np.testing.assert_allclose(moved, [0.0, 0.2 * arm.states[-1].ticks_driven / 15, 0.0], atol=0.03)
    assert arm.finger == pytest.approx(0.0), "the gripper column is 1: closed"
    state = arm.states[-1]
    told = tcp_pose(np.array(state.position))[:3, 3]
    point = state.tcp_pose.position
    np.testing.assert_allclose([point.x, point.y, point.z], told, atol=1e-9)
    steps = [report for report in arm.reports if report.row >= 0]
    assert_at_most_one_left_out([report.row for report in steps])
    assert all(report.gate_duration > 0 for report in steps)
    assert np.median([report.gate_duration for report in steps]) < 0.005  # one may be preempted on a busy machine


@pytest.mark.parametrize(
    ("change", "reason", "words"),
    [
        ({"rows": [math.nan] * 112}, GateReport.REASON_NOT_FINITE, "not finite, first nan in row 0, column 0"),
        ({"rows": [0.1] * 111}, GateReport.REASON_WRONG_SHAPE, "111 values for horizon 16 and dim 7"),
        ({"owner_epoch": 1}, GateReport.REASON_WRONG_OWNER, "owner epoch 1; the present one is"),
        ({"chunk_id": 3}, GateReport.REASON_OLD_CHUNK, "not above 3"),
    ],
)
def test_a_bad_chunk_is_rejected_in_words_and_moves_nothing(
    controller: Any, arm: ArmStandIn, change: dict[str, Any], reason: int, words: str
) -> None:
    arm.send(3, speed=0.0)
    assert arm.verdict_on(3).verdict == GateReport.ACCEPTED
    arm.until_state(ArmState.HOLDING)
    arm.reports.clear()
    here = arm.position.copy()
    arm.send(**{"chunk_id": 4} | change)
    report = arm.verdict_on(change.get("chunk_id", 4))
    assert (report.verdict, report.reason) == (GateReport.REJECTED, reason)
    assert words in report.detail
    controller.wait_for_text(words)
    tick = arm.states[-1].tick
    arm.until(lambda: arm.states[-1].tick > tick + 4, 5.0, "further control steps")
    assert arm.states[-1].state == ArmState.HOLDING
    np.testing.assert_array_equal(arm.position, here)


def test_a_chunk_of_another_space_is_rejected(arm: ArmStandIn, start_node: Start) -> None:
    claimed(arm, start_node, action_space="joint_velocity", joint_state_timeout=2.0)
    arm.send(1)
    report = arm.verdict_on(1)
    assert report.reason == GateReport.REASON_WRONG_SPACE
    assert "CARTESIAN_VELOCITY; this arm is set to JOINT_VELOCITY" in report.detail
    assert not any(command.velocity.any() for command in arm.commands)


def test_at_the_leases_end_the_arm_comes_to_rest_within_03_s(controller: Any, arm: ArmStandIn) -> None:
    # Well before the rows run out, also where some of them fall away because the chunk came late.
    arm.send(1, speed=0.4, lease=Duration(nanosec=700_000_000))
    arm.until_moving()
    arm.until(lambda: arm.states[-1].row >= 0 and arm.states[-1].lease_remaining < 0.5, 5.0, "the lease to run down")
    ends = time.monotonic() + arm.states[-1].lease_remaining
    assert arm.at_rest_since(ends) < 0.3 + TRAVEL
    assert greatest_change(arm) <= LIMIT
    state = arm.until_state(ArmState.HOLDING)
    assert "the lease of chunk 1 has ended" in state.message
    count = len(arm.commands)
    arm.until(lambda: len(arm.commands) > count + 3, 5.0, "the hold to be repeated")


def test_a_stop_latches_until_reset(controller: Any, arm: ArmStandIn) -> None:
    arm.send(1, speed=0.4)
    arm.until_moving()
    called = time.monotonic()
    assert arm.call(arm.stop).success
    assert arm.at_rest_since(called) < 0.35 + TRAVEL
    state = arm.until_state(ArmState.STOPPED)
    assert "arm_controller/stop was called" in state.message
    arm.send(2)
    assert arm.verdict_on(2).reason == GateReport.REASON_STOPPED
    refused = arm.claim()
    assert not refused.success
    assert "arm_controller/reset" in refused.message
    assert arm.call(arm.reset).success
    arm.until_state(ArmState.IDLE)
    assert not arm.call(arm.reset).success
    assert arm.claim().success
    arm.send(1)
    arm.until_state(ArmState.RUNNING)


def test_a_second_controller_hears_the_first_and_does_not_drive(
    controller: Any, arm: ArmStandIn, start_node: Start
) -> None:
    """One that was killed is remembered by its name for a while; one that lives is heard at once."""
    second = start_node("arm_controller", joint_state_timeout=2.0)
    second.wait_for_text("FAULT: somebody else commands the arm on /fr3_arm_controller/joint_trajectory, past")
    assert not arm.call(arm.recover).success, "neither has anything to recover from"
    second.send_signal(signal.SIGKILL)
    second.wait(5.0)
    arm.until(lambda: arm.states[-1].owner == "steering", 5.0, "the first one's own state, whose steps a chunk counts")
    arm.send(1)
    arm.until_moving()
    assert "FAULT" not in controller.text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_brings_the_arm_to_rest_before_the_controller_goes(
    controller: Any, arm: ArmStandIn, number: int
) -> None:
    arm.send(1, speed=0.4)
    arm.until_moving()
    signalled = time.monotonic()
    controller.send_signal(number)
    assert controller.wait(5.0) == 0
    assert time.monotonic() - signalled < 2.0
    arm.until(lambda: not arm.commands[-1].velocity.any(), 1.0, "a zero command as the last one")
    assert greatest_change(arm) <= LIMIT


def test_without_joint_states_the_arm_stops_and_with_them_it_goes_on(arm: ArmStandIn, start_node: Start) -> None:
    claimed(arm, start_node)
    arm.send(1, speed=0.4)
    arm.until_moving()
    arm.reports_joints = False
    gone = time.monotonic()
    arm.until_state(ArmState.FAULT, 2.0)
    # On a busy machine the last ones came late and alike, and that is what is said first.
    arm.until(lambda: "s old, limit 0.25 s" in arm.states[-1].message, 2.0, "a fault for late joint states")
    state = arm.states[-1]
    assert all(map(math.isnan, state.velocity)) and all(map(math.isfinite, state.position))
    assert arm.at_rest_since(gone) < 0.6 + TRAVEL
    arm.send(2)
    assert arm.verdict_on(2).reason == GateReport.REASON_STATE_STALE
    arm.reports_joints = True
    arm.until_state(ArmState.HOLDING)
    arm.send(3)
    assert arm.until_state(ArmState.RUNNING).chunk_id == 3


def test_bad_joint_states_are_ignored_with_a_warning(controller: Any, arm: ArmStandIn) -> None:
    def spoil(msg: Any) -> None:
        msg.position = [0.04, math.nan, *msg.position[2:]]

    arm.spoil = spoil
    controller.wait_for_text("joint_states ignored: joint state with position nan of fr3_joint7; it must be finite")
    arm.until_state(ArmState.FAULT)


def test_a_second_owner_waits_for_the_firsts_lease(controller: Any, arm: ArmStandIn) -> None:
    epoch = arm.epoch
    refused = arm.claim("intruder")
    assert not refused.success
    assert "'steering' owns the arm" in refused.message
    again = arm.claim("steering")
    assert again.success and again.epoch > epoch, "the answer to the first may have been lost"
    arm.epoch = again.epoch
    arm.send(1)
    arm.until_state(ArmState.RUNNING)
    assert not arm.claim("steering").success, "there may be two of that name"


def test_the_control_step_is_on_time(controller: Any, arm: ArmStandIn) -> None:
    arm.send(1)
    arm.until(lambda: len([r for r in arm.reports if r.tick]) > 60, 10.0, "60 control steps")
    ticks = [report.tick for report in arm.reports if report.tick_lateness > 0]
    assert_at_most_one_left_out(ticks)


def test_a_wrong_parameter_is_named(start_node: Start) -> None:
    process = start_node("arm_controller", linear_speed=4.0)
    assert process.wait(20) == 1
    assert "parameter 'linear_speed' of node 'arm_controller'" in process.text()
    assert "4.0" in process.text()


def test_a_workspace_upside_down_is_named(start_node: Start) -> None:
    process = start_node("arm_controller", workspace_high="[0.1, 0.5, 0.8]")
    assert process.wait(20) == 1
    assert "limit workspace_high is [0.1 0.5 0.8]; it must lie in" in process.text()


def test_a_cartesian_row_moves_the_hand_as_asked(controller: Any, arm: ArmStandIn) -> None:
    arm.send(1, speed=0.2)
    arm.until(lambda: arm.states[-1].row >= 8, 5.0, "row 8")
    states = [state for state in arm.states if state.row >= 4]
    moved = [pose_and_jacobian(np.array(state.position))[1] @ np.array(state.velocity) for state in states]
    # The median: on a busy machine a single joint state is late, and its position no longer goes with the velocity.
    np.testing.assert_allclose(np.median(moved, axis=0), [0, 0.2, 0, 0, 0, 0], atol=0.02)
