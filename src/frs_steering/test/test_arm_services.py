"""What people ask of the arm controller, as a process: the way home, the gripper, a recovery from errors."""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import rclpy
from action_msgs.msg import GoalStatus
from arm_stand_in import ArmStandIn, answer
from cell_stand_in import Start
from frs_msgs.msg import ArmState
from std_msgs.msg import String
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from frs_steering.arm.homing import NEAR
from frs_steering.arm.ownership import CLAIM_LEASE
from frs_steering.nodes.qos import COMMAND, LATCHED
from frs_steering.robot.fr3 import FINGER_OPEN, RESET_POSITION

AWAY = RESET_POSITION + np.array([0.6, 0.1, 0.0, 0.1, 0.0, 0.0, 0.2])


@pytest.fixture
def arm(ros: ModuleType) -> Iterator[ArmStandIn]:
    """An arm that obeys, away from home."""
    stand_in = ArmStandIn()
    stand_in.position = AWAY.copy()
    yield stand_in
    stand_in.close()


@pytest.fixture
def controller(arm: ArmStandIn, start_node: Start) -> Any:
    """The controller's process, without an owner, and patient with a test that comes late with joint states."""
    process = start_node("arm_controller", joint_state_timeout=2.0)
    arm.until_state(ArmState.IDLE)
    arm.until(lambda: arm.states[-1].message == "no owner", 10.0, "the first joint states")
    return process


def test_home_is_reached_and_told_on_the_way(controller: Any, arm: ArmStandIn) -> None:
    told: list[float] = []
    goal = arm.send_home(feedback=told)
    assert goal.accepted
    end = arm.end_of(goal)
    assert (end.status, end.result.success) == (GoalStatus.STATUS_SUCCEEDED, True)
    assert end.result.distance <= NEAR
    np.testing.assert_allclose(arm.position, RESET_POSITION, atol=2 * NEAR)
    assert len(told) > 3 and told[0] > 0.2 and told == sorted(told, reverse=True)
    assert all(after <= before + 1e-3 for before, after in zip(told, told[1:], strict=False))
    fastest = max(float(np.abs(command.velocity).max()) for command in arm.commands)
    assert 0.25 < fastest < 0.31, "slow"
    state = arm.until_state(ArmState.HOLDING)
    assert state.owner == ""
    assert arm.finger == FINGER_OPEN, "the fingers were not told anything"


def test_home_is_cancelled_into_a_decelerating_hold(controller: Any, arm: ArmStandIn) -> None:
    goal = arm.send_home()
    arm.until_moving()
    arm.until(lambda: arm.states[-1].owner == "home", 2.0, "home as the owner")
    cancelled = answer(goal.cancel_goal_async(), "the cancellation")
    assert len(cancelled.goals_canceling) == 1
    end = arm.end_of(goal)
    assert (end.status, end.result.success, end.result.message) == (GoalStatus.STATUS_CANCELED, False, "cancelled")
    arm.until(lambda: not arm.commands[-1].velocity.any(), 2.0, "rest")
    changes = np.abs(np.diff([report.commanded for report in arm.reports if report.tick], axis=0))
    assert changes.max() <= 8.0 / 15 + 1e-6
    assert end.result.distance > 0.05


def test_home_is_refused_in_words_while_an_owner_drives_and_a_stop_ends_it(controller: Any, arm: ArmStandIn) -> None:
    assert arm.claim().success
    arm.send(1, speed=0.05)
    arm.until_state(ArmState.RUNNING)
    end = arm.end_of(arm.send_home())
    assert end.status == GoalStatus.STATUS_ABORTED
    assert "'steering' owns the arm and its lease runs for another" in end.result.message
    tick = arm.states[-1].tick
    arm.until(lambda: arm.states[-1].tick > tick + 15 * CLAIM_LEASE, 5.0, "the end of all of its leases")
    goal = arm.send_home()
    arm.until(lambda: arm.states[-1].owner == "home", 5.0, "the way home")
    assert "on its way home" in arm.end_of(arm.send_home()).result.message, "one at a time"
    assert arm.call(arm.stop).success
    end = arm.end_of(goal)
    assert (end.status, end.result.success) == (GoalStatus.STATUS_ABORTED, False)
    assert "arm_controller/stop was called" in end.result.message


def test_a_scale_out_of_range_is_refused(controller: Any, arm: ArmStandIn) -> None:
    assert "speed_scale is 2.0; it must lie in [0.05, 1]" in arm.end_of(arm.send_home(speed_scale=2.0)).result.message


def test_the_gripper_is_closed_and_opened_by_hand(controller: Any, arm: ArmStandIn) -> None:
    assert arm.call(arm.close_gripper).success
    arm.until(lambda: arm.finger == 0.0, 2.0, "closed fingers")
    assert arm.call(arm.open_gripper).success
    arm.until(lambda: arm.finger == FINGER_OPEN, 2.0, "open fingers")
    assert not arm.commands, "the arm was told nothing"
    assert arm.call(arm.stop).success
    refused = arm.call(arm.close_gripper)
    assert not refused.success and "call arm_controller/reset" in refused.message


def test_a_gripper_that_nobody_drives_is_named_and_not_told_later(controller: Any, arm: ArmStandIn) -> None:
    (ear,) = (each for each in arm.subscriptions if each.topic_name.endswith("fr3_gripper_controller/joint_trajectory"))
    callback = ear.callback
    arm.destroy_subscription(ear)
    words = "no gripper listens to /fr3_gripper_controller/joint_trajectory"
    arm.until(lambda: words in arm.states[-1].message, 10.0, "the trouble in the arm's state")
    refused = arm.call(arm.close_gripper)
    assert not refused.success and words in refused.message
    arm.create_subscription(JointTrajectory, "fr3_gripper_controller/joint_trajectory", callback, COMMAND)
    arm.until(lambda: words not in arm.states[-1].message, 10.0, "a gripper again")
    tick = arm.states[-1].tick
    arm.until(lambda: arm.states[-1].tick > tick + 8, 5.0, "further control steps")
    assert arm.finger == FINGER_OPEN, "what was refused does not happen later"
    assert all(report.gripper == 0.0 for report in arm.reports), "nor was it asked"
    assert arm.call(arm.close_gripper).success


def test_who_else_commands_the_arm_is_named_and_a_fault(controller: Any, arm: ArmStandIn) -> None:
    other = rclpy.create_node("move_group")
    publisher = other.create_publisher(JointTrajectory, "fr3_arm_controller/joint_trajectory", COMMAND)
    state = arm.until_state(ArmState.FAULT, 5.0)
    assert state.message.startswith("/arm_controller, /move_group all publish on /fr3_arm_controller/joint_trajectory")
    assert state.message.endswith("end all but one; call arm_controller/recover"), "and not: the robot says"
    refused = arm.call(arm.recover)
    assert not refused.success and refused.message.startswith("/arm_controller, /move_group all publish on")
    other.destroy_publisher(publisher)
    other.destroy_node()
    arm.until_success(arm.recover, 10.0)
    arm.until_state(ArmState.IDLE)


def test_the_robots_error_is_a_fault_and_recovered_from_by_its_driver(controller: Any, arm: ArmStandIn) -> None:
    errors = arm.create_publisher(String, "robot_driver/error", LATCHED)
    assert arm.claim().success
    arm.send(1)
    arm.until_moving()
    errors.publish(String(data="joint_reflex"))
    state = arm.until_state(ArmState.FAULT, 2.0)
    assert state.message == "the robot says: joint_reflex; call arm_controller/recover"
    arm.until(lambda: not arm.commands[-1].velocity.any(), 1.0, "rest")
    answered = arm.call(arm.recover)
    assert not answered.success and "no driver offers robot_driver/recover" in answered.message

    def on_recover(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        errors.publish(String(data=""))
        response.success = True
        return response

    arm.create_service(Trigger, "robot_driver/recover", on_recover)
    arm.until_success(arm.recover, 10.0)  # once the controller has found the driver
    controller.wait_for_text("recover: recovered from: joint_reflex")
    assert arm.until_state(ArmState.HOLDING).owner == "steering"
    arm.send(2)
    assert arm.until_state(ArmState.RUNNING).chunk_id == 2
    assert "nothing to recover from" in arm.call(arm.recover).message


@pytest.mark.parametrize("moved", [0.0, 0.5])
def test_a_lost_robot_is_recovered_by_one_call(controller: Any, arm: ArmStandIn, moved: float) -> None:
    """Its driver has connected anew, and sends joint states a moment later; of an arm that was moved meanwhile, too."""
    errors = arm.create_publisher(String, "robot_driver/error", LATCHED)

    def on_recover(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        errors.publish(String(data=""))
        once = arm.create_timer(0.3, lambda: (once.cancel(), setattr(arm, "reports_joints", True)))
        response.success = True
        return response

    errors.publish(String(data="lost connection"))
    arm.until_state(ArmState.FAULT)
    arm.reports_joints = False
    arm.until(lambda: math.isnan(arm.states[-1].velocity[0]), 10.0, "stale joint states")
    assert arm.states[-1].message == "the robot says: lost connection; call arm_controller/recover"
    arm.position[0] += moved
    arm.create_service(Trigger, "robot_driver/recover", on_recover)
    answers = [arm.call(arm.recover)]
    while "no driver offers" in answers[-1].message:  # until the controller has found it
        answers.append(arm.call(arm.recover))
    elsewhere = "; fr3_joint1 is said to be 0.500 rad from where it was told to be" if moved else ""
    assert (answers[-1].success, answers[-1].message) == (True, f"recovered from: lost connection{elsewhere}")
    arm.until_state(ArmState.IDLE)
