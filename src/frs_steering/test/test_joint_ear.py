"""Joint states as franka_ros2 sends them, about a thousand a second: heard fresh, checked as ever, over real DDS."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ament_index_python.packages import get_package_prefix
from arm_stand_in import ArmStandIn
from cell_stand_in import CellStandIn
from frs_msgs.msg import ArmState
from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import JointState
from test_vla_inference import ask, steer

from frs_steering.nodes.qos import SENSOR
from frs_steering.robot.fr3 import FINGER_JOINT, JOINT_NAMES, RESET_POSITION

TOPIC = "franka/joint_states"
PERIOD = 0.001
"""s between two messages, where the machine keeps up."""
AWAY = RESET_POSITION + np.array([0.0, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0])
"""Farther from the reset pose than an arm gets between two messages."""

Where = Callable[[], np.ndarray]


class Broadcaster:
    """A node that publishes joint states on TOPIC a thousand times a second, in a thread of its own."""

    def __init__(self, name: str, where: Where, *, apart: bool = False) -> None:
        """Begin; `where` gives the arm's positions (7,) [rad]; the fingers come with them or `apart`."""
        self._node = Node(name)
        self._publisher = self._node.create_publisher(JointState, TOPIC, SENSOR)
        self._where, self._apart = where, apart
        self._stray: tuple[Node, Publisher] | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def contradict(self) -> None:
        """Begin to send, from a node of its own and always at once after the right one, that the arm is AWAY."""
        node = Node("stray")
        self._stray = node, node.create_publisher(JointState, TOPIC, SENSOR)

    def close(self) -> None:
        """Fall silent and go."""
        if not self._over.is_set():
            self._over.set()
            self._thread.join()
            self._node.destroy_node()
            if self._stray is not None:
                self._stray[0].destroy_node()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._over.is_set():
            arm, finger = self._where(), {FINGER_JOINT: 0.04}
            if self._apart:
                self._send(self._publisher, finger)
            self._send(self._publisher, _named(arm) if self._apart else _named(arm) | finger)
            if self._stray is not None:
                self._send(self._stray[1], _named(AWAY) | finger)
            now = time.monotonic()
            due = max(due + PERIOD, now)
            time.sleep(due - now)

    def _send(self, publisher: Publisher, positions: dict[str, float]) -> None:
        msg = JointState(name=list(positions), position=list(positions.values()), velocity=[0.0] * len(positions))
        msg.header.stamp = self._node.get_clock().now().to_msg()
        publisher.publish(msg)


def _named(positions: np.ndarray) -> dict[str, float]:
    return dict(zip(JOINT_NAMES, positions.tolist(), strict=True))


Broadcast = Callable[..., Broadcaster]
StartNode = Callable[..., Any]


@pytest.fixture
def broadcast(ros: object) -> Iterator[Broadcast]:
    """Start a `Broadcaster`; those that still send when the test is over fall silent."""
    started: list[Broadcaster] = []

    def start(name: str, where: Where, **more: bool) -> Broadcaster:
        started.append(Broadcaster(name, where, **more))
        return started[-1]

    yield start
    for broadcaster in started:
        broadcaster.close()


@pytest.fixture
def start_remapped(procs: Callable[..., Any]) -> StartNode:
    """Start a node of this package that hears TOPIC, as on a franka_ros2 host, with parameters as keywords."""

    def start(name: str, **parameters: object) -> Any:
        executable = Path(get_package_prefix("frs_steering")) / "lib" / "frs_steering" / name
        given = [word for key, value in parameters.items() for word in ("-p", f"{key}:={value}")]
        return procs(executable, "--ros-args", "-r", f"joint_states:={TOPIC}", *given)

    return start


def claim(arm: ArmStandIn) -> None:
    """Wait for the controller, and claim the arm."""
    arm.until(lambda: bool(arm.states) and arm.states[-1].message == "no owner", 20.0, "joint states")
    assert arm.claim().success
    arm.until_state(ArmState.ARMED)


def more_steps(arm: ArmStandIn, count: int) -> list[ArmState]:
    """The states of the next control steps."""
    heard = len(arm.states)
    arm.until(lambda: len(arm.states) >= heard + count, 20.0, f"{count} control steps")
    return arm.states[heard:]


def test_the_arm_is_driven_by_fresh_joint_states(
    arm: ArmStandIn, start_remapped: StartNode, broadcast: Broadcast
) -> None:
    broadcaster = broadcast("joint_state_broadcaster", lambda: arm.position)
    start_remapped("arm_controller", joint_state_timeout=1.0)  # on a busy machine a sender may pause
    claim(arm)
    arm.send(1)
    arm.until(lambda: arm.states[-1].row >= 8, 10.0, "row 8")
    arm.until_state(ArmState.HOLDING)
    assert not [state.message for state in arm.states if state.state == ArmState.FAULT]
    told = more_steps(arm, 3)[-1]
    np.testing.assert_allclose(told.position, arm.position, atol=1e-9)
    assert told.gripper == pytest.approx(0.0)

    # They are missed as soon as fewer would be, and the arm goes on when they come again.
    broadcaster.close()
    state = arm.until_state(ArmState.FAULT)
    assert "s old, limit 1.00 s" in state.message
    broadcast("joint_state_broadcaster", lambda: arm.position)
    arm.until_state(ArmState.HOLDING)
    arm.send(2)
    arm.until_state(ArmState.RUNNING)


def test_what_is_not_finite_is_ignored_in_words(
    arm: ArmStandIn, start_remapped: StartNode, broadcast: Broadcast
) -> None:
    where = [RESET_POSITION]
    broadcast("joint_state_broadcaster", lambda: where[0])
    controller = start_remapped("arm_controller")
    claim(arm)
    where[0] = np.full(7, math.nan)
    controller.wait_for_text("joint_states ignored: joint state with position nan of fr3_joint1; it must be finite")
    arm.until_state(ArmState.FAULT)


def test_a_second_sender_that_contradicts_the_first_is_not_believed(
    arm: ArmStandIn, start_remapped: StartNode, broadcast: Broadcast
) -> None:
    broadcaster = broadcast("joint_state_broadcaster", lambda: RESET_POSITION)
    controller = start_remapped("arm_controller", joint_state_timeout=2.0)
    claim(arm)
    broadcaster.contradict()
    controller.wait_for_text("joint_states doubted: fr3_joint2 is said to have turned by 0.300 rad")
    for state in more_steps(arm, 30):
        assert state.state == ArmState.ARMED, state.message
        np.testing.assert_array_equal(state.position, RESET_POSITION)


def test_one_sender_may_tell_of_arm_and_fingers_apart(
    arm: ArmStandIn, start_remapped: StartNode, broadcast: Broadcast
) -> None:
    broadcast("joint_state_broadcaster", lambda: RESET_POSITION, apart=True)
    start_remapped("arm_controller", joint_state_timeout=2.0)
    claim(arm)
    for state in more_steps(arm, 15):
        assert (state.state, state.gripper) == (ArmState.ARMED, pytest.approx(0.0)), state.message


def test_the_policy_sees_fresh_joint_states(
    cell: CellStandIn, start_remapped: StartNode, broadcast: Broadcast, weights: Path
) -> None:
    where = [RESET_POSITION]
    broadcaster = broadcast("joint_state_broadcaster", lambda: where[0])
    start_remapped("vla_inference", weights=weights)
    seen = ask(cell, steer())
    where[0] = AWAY
    cell.wait_ticks(3)
    answer = ask(cell, steer())
    np.testing.assert_array_equal([seen.joint_position, answer.joint_position], [RESET_POSITION, AWAY])
    broadcaster.close()
    ask(cell, steer(), "joint 'fr3_joint1' is")
