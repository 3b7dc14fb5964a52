"""The node that drives an FR3 without ros2_control: the controller's commands in, joint states and errors out."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from frs_steering.arm.backends.commands import CommandError, arm_velocity, gripper_closing
from frs_steering.arm.backends.franky import FrankyArm, FrankyError, FrankyGripper
from frs_steering.arm.limits import ACCELERATION_SHARE
from frs_steering.arm.robots import FR3
from frs_steering.nodes.parameters import ParameterError, declare, param
from frs_steering.nodes.qos import COMMAND, LATCHED, SENSOR
from frs_steering.nodes.runtime import run, side_node
from frs_steering.robot.fr3 import FINGER_JOINT, JOINT_NAMES

STATE_RATE = 60.0
"""Joint states a second [Hz]."""
WARNING_PERIOD = 2.0
"""Least time between two warnings of the same kind [s]."""


@dataclass(frozen=True)
class FrankyDriverParameters:
    """Parameters of the node."""

    host: str = param("", "address of the robot's control unit, such as 172.16.0.2")
    realtime: bool = param(True, "refuse to drive from a kernel without PREEMPT_RT; false only for a simulator")


class FrankyDriver(Node):
    """Adapter around `FrankyArm` and `FrankyGripper`. Recovery, which takes seconds, has a thread of its own."""

    def __init__(self) -> None:
        super().__init__("franky_driver")
        parameters = declare(self, FrankyDriverParameters)
        if not parameters.host:
            raise ParameterError("parameter 'host' of node 'franky_driver' is empty; it must be the robot's address")
        try:
            self._arm = FrankyArm(parameters.host, ACCELERATION_SHARE * FR3.acceleration, realtime=parameters.realtime)
            self._gripper = FrankyGripper(parameters.host)
        except FrankyError as error:
            raise OSError(str(error)) from error
        self._recovering = threading.Event()
        self._told: str | None = None
        self._joints = self.create_publisher(JointState, "joint_states", SENSOR)
        self._errors = self.create_publisher(String, "robot_driver/error", LATCHED)
        self.create_subscription(JointTrajectory, "fr3_arm_controller/joint_trajectory", self._on_arm, COMMAND)
        self.create_subscription(JointTrajectory, "fr3_gripper_controller/joint_trajectory", self._on_gripper, COMMAND)
        self.create_timer(1.0 / STATE_RATE, self._look)
        side = side_node(self, "recovery")
        side.create_service(Trigger, "robot_driver/recover", self._on_recover)
        self.side_nodes = (side,)
        self.get_logger().info(f"connected to the robot at {parameters.host}")

    def close(self) -> None:
        """Bring the arm to rest; the fingers keep what they hold."""
        self._arm.close()
        self._gripper.close()

    def _on_arm(self, msg: JointTrajectory) -> None:
        try:
            velocity = arm_velocity(msg.joint_names, [], msg.points[-1].velocities if msg.points else [])
        except CommandError as error:
            self._warn(f"arm command ignored: {error}")
            return
        if not self._recovering.is_set():
            self._arm.send(velocity)

    def _on_gripper(self, msg: JointTrajectory) -> None:
        try:
            self._gripper.send(gripper_closing(msg.joint_names, msg.points[-1].positions if msg.points else []))
        except CommandError as error:
            self._warn(f"gripper command ignored: {error}")

    def _look(self) -> None:
        if self._recovering.is_set():
            return
        error = self._arm.error()
        if self._gripper.trouble:
            self._warn(self._gripper.trouble)
        reading = self._arm.read()
        if reading is not None:
            self._publish(*reading)
        if error != self._told:
            self._told = error
            self._errors.publish(String(data=error))
            if error:
                self.get_logger().error(f"the robot says: {error}")

    def _publish(self, position: NDArray[np.float64], velocity: NDArray[np.float64]) -> None:
        msg = JointState(name=[*JOINT_NAMES, FINGER_JOINT])
        msg.header.stamp = self.get_clock().now().to_msg()
        msg.position = [*position.tolist(), self._gripper.width / 2]
        msg.velocity = [*velocity.tolist(), 0.0]
        self._joints.publish(msg)

    def _on_recover(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._recovering.set()
        try:
            self._arm.recover()
            response.success, response.message = True, "recovered"
        except FrankyError as error:
            response.success, response.message = False, str(error)
        finally:
            self._recovering.clear()
        return response

    def _warn(self, words: str) -> None:
        self.get_logger().warning(words, throttle_duration_sec=WARNING_PERIOD)


def main(argv: list[str] | None = None) -> int:
    """Entry point of the executable `franky_driver`."""
    return run(FrankyDriver, argv)


if __name__ == "__main__":
    raise SystemExit(main())
