"""The backend of ros2_control and of the simulated arm: single-point joint trajectories on two topics."""

from __future__ import annotations

from builtin_interfaces.msg import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from frs_steering.arm.backends.interface import Command
from frs_steering.nodes.qos import COMMAND
from frs_steering.robot.fr3 import FINGER_JOINT, JOINT_NAMES, finger_position


class TrajectoryBackend:
    """Publishes each command as the one point of a trajectory that ends after a control step.

    The stamp is zero: the trajectory begins on receipt.
    """

    def __init__(self, node: Node, period: float) -> None:
        self._arm = node.create_publisher(JointTrajectory, "fr3_arm_controller/joint_trajectory", COMMAND)
        self._gripper = node.create_publisher(JointTrajectory, "fr3_gripper_controller/joint_trajectory", COMMAND)
        self._duration = Duration(sec=int(period), nanosec=round(period % 1.0 * 1e9))

    def send(self, command: Command) -> None:
        """Publish; see `Backend`."""
        self._publish(self._arm, list(JOINT_NAMES), command.position.tolist(), command.velocity.tolist())
        if command.gripper is not None:
            self._publish(self._gripper, [FINGER_JOINT], [finger_position(command.gripper)], [])

    def _publish(
        self, publisher: Publisher, joints: list[str], positions: list[float], velocities: list[float]
    ) -> None:
        point = JointTrajectoryPoint(positions=positions, velocities=velocities, time_from_start=self._duration)
        publisher.publish(JointTrajectory(joint_names=joints, points=[point]))
