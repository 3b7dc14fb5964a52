"""A Robotiq 2F-85 as the gripper of the arm controller: its driver's thread, and its fingers as joint states."""

from __future__ import annotations

from rclpy.node import Node
from sensor_msgs.msg import JointState

from frs_steering.arm.backends.robotiq import Robotiq, Status
from frs_steering.nodes.qos import SENSOR
from frs_steering.robot.fr3 import FINGER_JOINT, finger_position


class RobotiqGripper:
    """Hands the newest wish to the driver, and publishes what the gripper measures, 20 times a second.

    The fingers are told as the Franka hand's joint, on a topic that a host merges into `joint_states`, so that
    policy, recorder and controller need not know which gripper there is.
    """

    def __init__(self, node: Node, port: str) -> None:
        self._node = node
        self._publisher = node.create_publisher(JointState, "fr3_gripper_controller/joint_states", SENSOR)
        self._driver = Robotiq(port, self._on_status)

    def send(self, closing: float) -> None:
        """Ask for a gripper value; see `GripperBackend`."""
        self._driver.send(closing)

    @property
    def trouble(self) -> str:
        """Why the gripper does not follow, in words; empty while it does."""
        return self._driver.trouble

    def close(self) -> None:
        """End the driver's thread."""
        self._driver.close()

    def _on_status(self, status: Status) -> None:  # in the driver's thread
        msg = JointState(name=[FINGER_JOINT], position=[finger_position(status.closing)], velocity=[0.0])
        msg.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(msg)
