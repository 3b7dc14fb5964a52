"""The arm controller with a Robotiq gripper: the process, an arm, and a pseudo-terminal that speaks its registers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from arm_stand_in import ArmStandIn, assert_at_most_one_left_out
from cell_stand_in import Start
from frs_msgs.msg import ArmState, GateReport
from robotiq_peer import RobotiqPeer
from sensor_msgs.msg import JointState

from frs_steering.nodes.qos import SENSOR
from frs_steering.robot.fr3 import FINGER_JOINT, FINGER_OPEN


@pytest.fixture
def peer() -> Iterator[RobotiqPeer]:
    """A gripper without power."""
    made = RobotiqPeer()
    yield made
    made.close()


class Arm(ArmStandIn):
    """An arm whose joint states know of no fingers."""

    def __init__(self) -> None:
        super().__init__()
        self.fingers: list[float] = []
        self.spoil = without_finger
        self.create_subscription(JointState, "fr3_gripper_controller/joint_states", self._on_fingers, SENSOR)

    def _on_fingers(self, msg: JointState) -> None:
        assert msg.name == [FINGER_JOINT]
        self._keep(self.fingers, msg.position[0])


def without_finger(msg: JointState) -> None:
    """Leave the arm's joints alone in a joint state."""
    at = msg.name.index(FINGER_JOINT)
    for field in ("name", "position", "velocity"):
        values = getattr(msg, field)
        setattr(msg, field, [*values[:at], *values[at + 1 :]])


@pytest.fixture
def arm(ros: ModuleType) -> Iterator[Arm]:
    stand_in = Arm()
    yield stand_in
    stand_in.close()


@pytest.fixture
def controller(arm: Arm, peer: RobotiqPeer, start_node: Start) -> Any:
    """The controller's process, with a gripper that follows, and the arm claimed."""
    process = start_node("arm_controller", gripper="robotiq", gripper_port=peer.port, joint_state_timeout=2.0)
    arm.until(lambda: bool(arm.fingers) and not said(arm), 20.0, "a gripper that follows")
    assert arm.claim().success
    arm.until_state(ArmState.ARMED)
    return process


def said(arm: Arm) -> str:
    """What the arm's state says of the gripper."""
    return arm.states[-1].message.partition("gripper on")[2] if arm.states else "nothing yet"


def until_gripper(arm: Arm, condition: Callable[[], bool], what: str) -> None:
    """Wait for the peer, which is looked at whenever the arm hears something."""
    arm.until(condition, 10.0, what)


def control_steps(arm: Arm) -> list[int]:
    """The numbers of those that were told."""
    return [report.tick for report in arm.reports if report.row >= 0 or report.verdict == GateReport.HELD]


def test_a_chunk_drives_arm_and_gripper(controller: Any, arm: Arm, peer: RobotiqPeer) -> None:
    arm.send(1)
    arm.until_moving()
    until_gripper(arm, lambda: peer.outputs[1] & 0xFF == 255, "a request to close")
    arm.until(lambda: arm.fingers[-1] == 0.0, 5.0, "closed fingers, as joint states")
    arm.until(lambda: math.isclose(arm.states[-1].gripper, 1.0), 5.0, "the measured gripper in the arm's state")
    arm.until_state(ArmState.HOLDING)
    requests = len(peer.requests)
    tick = arm.states[-1].tick
    arm.until(lambda: arm.states[-1].tick > tick + 5, 5.0, "further control steps")
    assert len(peer.requests) == requests, "while the arm holds, the gripper is told nothing"
    assert_at_most_one_left_out(control_steps(arm))


def test_by_hand_it_is_opened_and_closed(controller: Any, arm: Arm, peer: RobotiqPeer) -> None:
    assert arm.call(arm.stop).success
    assert arm.call(arm.reset).success
    assert arm.call(arm.close_gripper).success
    arm.until(lambda: arm.fingers[-1] == 0.0, 5.0, "closed fingers")
    assert arm.call(arm.open_gripper).success
    arm.until(lambda: arm.fingers[-1] == FINGER_OPEN, 5.0, "open fingers")


def test_a_gripper_that_dies_is_told_and_found_again_and_the_arm_goes_on(
    controller: Any, arm: Arm, peer: RobotiqPeer
) -> None:
    arm.send(1, speed=0.02)
    arm.until_state(ArmState.RUNNING)
    peer.mute = True
    arm.until(lambda: "sent nothing within 0.1 s" in said(arm), 5.0, "the trouble in the arm's state")
    controller.wait_for_text(f"gripper on {peer.port}: device 9 sent nothing")
    arm.send(2, speed=-0.02)
    assert arm.verdict_on(2).verdict == GateReport.ACCEPTED
    arm.until(
        lambda: arm.states[-1].state == ArmState.RUNNING and arm.states[-1].chunk_id == 2, 5.0, "chunk 2 to drive"
    )
    arm.until_state(ArmState.HOLDING)
    assert_at_most_one_left_out(control_steps(arm))  # nobody waits for the gripper
    peer.mute = False
    arm.until(lambda: not said(arm), 10.0, "a gripper that follows again")
    controller.wait_for_text("the gripper follows")


def test_by_hand_a_dead_gripper_is_named(controller: Any, arm: Arm, peer: RobotiqPeer) -> None:
    assert arm.call(arm.stop).success
    assert arm.call(arm.reset).success
    peer.mute = True
    arm.until(lambda: bool(said(arm)), 5.0, "the trouble in the arm's state")
    arm.until(lambda: math.isnan(arm.states[-1].gripper), 5.0, "an unknown gripper in the arm's state")
    answered = arm.call(arm.close_gripper)
    assert not answered.success and "device 9 sent nothing" in answered.message
    peer.mute = False
    arm.until(lambda: not said(arm), 10.0, "a gripper that follows again")
    fingers = len(arm.fingers)
    arm.until(lambda: len(arm.fingers) > fingers + 10, 5.0, "further looks at the fingers")
    assert peer.outputs[1] & 0xFF == 0, "what was refused does not happen later"
    assert arm.fingers[-1] == FINGER_OPEN
    assert all(report.gripper == 0.0 for report in arm.reports if report.row == -1 and report.tick), "nor was it asked"


@pytest.mark.parametrize("parameters", [{"gripper": "robotiq"}, {"gripper_port": "/dev/null"}])
def test_a_gripper_without_a_port_and_a_port_without_a_gripper_are_refused(
    start_node: Start, parameters: dict[str, str]
) -> None:
    process = start_node("arm_controller", **parameters)
    assert process.wait(20) == 1
    assert "'robotiq' needs the path of its serial port, 'franka_hand' has none" in process.text()
