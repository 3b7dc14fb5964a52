"""The backends of ros2_control and of the simulated arm: single-point trajectories, for the arm and its fingers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from builtin_interfaces.msg import Duration
from numpy.typing import NDArray
from rclpy.node import Node
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from frs_steering.arm.backends.interface import Command
from frs_steering.nodes.qos import COMMAND
from frs_steering.nodes.rivals import Rivals
from frs_steering.robot.fr3 import FINGER_JOINT, JOINT_NAMES, finger_position

Array = NDArray[np.float64]

LISTENER = "recorder"
"""Name of the node that hears commands without following them, as the controller hears its own."""
REMEMBERED = 30
"""Commands that are known again when they are heard: 2 s."""


def target(command: Command, period: float) -> Array:
    """Joint positions (7,) [rad] that belong to the command's velocity at the end of a control step of `period` s.

    A joint trajectory controller lays a cubic through the positions and velocities of two commands that follow each
    other. Positions at the middle of their steps, half a step behind, make that cubic a parabola whose acceleration is
    the change of velocity over a step, which the gate has limited. Those at the end would make it four times as much.
    """
    return command.position - 0.5 * period * command.velocity


class TrajectoryArm:
    """Publishes each command as the one point of a trajectory that ends after a control step.

    The stamp is zero: the trajectory begins on receipt.

    Attributes:
        rivals: who else publishes there.
    """

    def __init__(self, node: Node, period: float, on_rival: Callable[[], None]) -> None:
        """Begin; `on_rival` is called where a command is heard that was not sent from here."""
        self._node = node
        self._publisher = node.create_publisher(JointTrajectory, "fr3_arm_controller/joint_trajectory", COMMAND)
        self.rivals = Rivals(node, self._publisher.topic_name)
        self._period = period
        self._on_rival = on_rival
        self._sent: deque[list[float]] = deque(maxlen=REMEMBERED)  # positions [rad]; no two nodes send the same ones
        node.create_subscription(JointTrajectory, self._publisher.topic_name, self._on_command, COMMAND)

    def send(self, command: Command) -> None:
        """Publish; see `ArmBackend`."""
        positions = target(command, self._period).tolist()
        self._sent.append(positions)
        point = _point(positions, command.velocity.tolist(), self._period)
        self._publisher.publish(JointTrajectory(joint_names=list(JOINT_NAMES), points=[point]))

    def _on_command(self, msg: JointTrajectory) -> None:
        if not msg.points or list(msg.points[0].positions) not in tuple(self._sent):
            self.rivals.overhear()
            self._on_rival()

    @property
    def trouble(self) -> str:
        """Why the arm does not follow, in words; empty while it may. Takes 0.1 ms."""
        topic = self._publisher.topic_name
        heard = _is_heard(self._node, topic)
        return "" if heard else f"nobody follows {topic}: see whether the arm's driver, or its controller, is active"


class TrajectoryGripper:
    """Publishes the position of a finger likewise. Nobody answers, so all it knows is whether somebody listens."""

    def __init__(self, node: Node, period: float) -> None:
        self._node = node
        self._publisher = node.create_publisher(JointTrajectory, "fr3_gripper_controller/joint_trajectory", COMMAND)
        self._period = period

    def send(self, closing: float) -> None:
        """Publish; see `GripperBackend`."""
        point = _point([finger_position(closing)], [], self._period)
        self._publisher.publish(JointTrajectory(joint_names=[FINGER_JOINT], points=[point]))

    @property
    def trouble(self) -> str:
        """Why the gripper does not follow, in words; empty while it may. Takes 0.1 ms."""
        topic = self._publisher.topic_name
        heard = _is_heard(self._node, topic)
        return "" if heard else f"no gripper listens to {topic}: see whether its driver runs"

    def close(self) -> None:
        """There is nothing to end."""


def _is_heard(node: Node, topic: str) -> bool:
    return any(end.node_name not in (LISTENER, node.get_name()) for end in node.get_subscriptions_info_by_topic(topic))


def _point(positions: list[float], velocities: list[float], period: float) -> JointTrajectoryPoint:
    duration = Duration(sec=int(period), nanosec=round(period % 1.0 * 1e9))
    return JointTrajectoryPoint(positions=positions, velocities=velocities, time_from_start=duration)
