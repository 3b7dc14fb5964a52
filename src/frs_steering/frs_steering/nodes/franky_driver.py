"""The node that drives an FR3 or a Panda without ros2_control: commands in, joint states and errors out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from frs_steering.arm.agreement import disagreement
from frs_steering.arm.backends.commands import CommandError, arm_velocity, gripper_closing
from frs_steering.arm.backends.franky import FrankyArm, FrankyError, FrankyGripper
from frs_steering.arm.limits import greatest_accelerations, greatest_speeds
from frs_steering.arm.robots import FR3, ROBOTS
from frs_steering.health.arm import gripper_health
from frs_steering.health.report import Health, Level, seconds
from frs_steering.nodes.agreement import Agreement
from frs_steering.nodes.diagnostics import Diagnostics
from frs_steering.nodes.parameters import ParameterError, declare, param
from frs_steering.nodes.qos import COMMAND, LATCHED, SENSOR
from frs_steering.nodes.rivals import Rivals
from frs_steering.nodes.runtime import ended_at_once, run, side_node
from frs_steering.robot.fr3 import FINGER_JOINT, JOINT_NAMES

STATE_RATE = 60.0
"""Joint states a second [Hz]."""
GREATEST_ACCELERATION = float(greatest_accelerations(FR3).min())
"""Of a joint [rad/s^2], as for the gate; a Panda's joints have less."""
GRIPPERS = ("franka_hand", "robotiq")
WARNING_PERIOD = 2.0
"""Least time between two warnings of the same kind [s]."""


@dataclass(frozen=True)
class FrankyDriverParameters:
    """Parameters of the node."""

    host: str = param("", "address of the robot's control unit, such as 172.16.0.2")
    robot: str = param("fr3", "which robot it is, as arm_controller is told", choices=tuple(ROBOTS))
    realtime: bool = param(True, "refuse to drive from a kernel without PREEMPT_RT; false only for a simulator")
    gripper: str = param(
        "franka_hand", "which gripper there is; a Robotiq is driven and told of by arm_controller", choices=GRIPPERS
    )
    joint_acceleration: float = param(
        GREATEST_ACCELERATION,
        "with which a joint approaches the velocity asked for, and rests [rad/s^2]; with less than arm_controller's "
        "nobody is followed; at most 80 % of the robot's own counts",
        low=0.5,
        high=GREATEST_ACCELERATION,
    )


class FrankyDriver(Node):
    """Adapter around `FrankyArm` and `FrankyGripper`. Recovery, which takes seconds, has a thread of its own.

    Commands are followed while one node sends them, whose gate reckons with what this driver does, and no longer.
    """

    def __init__(self) -> None:
        super().__init__("franky_driver")
        parameters = declare(self, FrankyDriverParameters)
        if not parameters.host:
            raise ParameterError("parameter 'host' of node 'franky_driver' is empty; it must be the robot's address")
        robot = ROBOTS[parameters.robot]
        self._fastest = greatest_speeds(robot)  # no gate of ours lets more pass
        acceleration = greatest_accelerations(robot, parameters.joint_acceleration)
        self.get_logger().info(f"connecting to the robot at {parameters.host}")
        try:
            with ended_at_once():  # a host that is silent keeps the library for more than a minute
                self._arm = FrankyArm(parameters.host, acceleration, realtime=parameters.realtime)
            self._gripper = FrankyGripper(parameters.host) if parameters.gripper == "franka_hand" else None
        except FrankyError as error:
            raise OSError(str(error)) from error
        self._told: str | None = None
        self._followed_at: float | None = None  # when a command was handed on last [s, monotonic]
        self._joints = self.create_publisher(JointState, "joint_states", SENSOR)
        self._errors = self.create_publisher(String, "robot_driver/error", LATCHED)
        arm = self.create_subscription(JointTrajectory, "fr3_arm_controller/joint_trajectory", self._on_arm, COMMAND)
        self._rivals = Rivals(self, arm.topic_name)
        self._agreement = Agreement(self, arm.topic_name, partial(disagreement, robot, self._arm.acceleration))
        self._ear: Subscription | None = None  # for the gripper's commands
        self.create_timer(1.0 / STATE_RATE, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))
        side = side_node(self, "recovery")
        side.create_service(Trigger, "robot_driver/recover", self._on_recover)
        self.side_nodes = (side,)
        parts: dict[str, Callable[[], Health]] = {"robot": self._robot_health}
        if self._gripper is not None:
            hand = self._gripper
            parts["hand"] = lambda: gripper_health(hand.trouble)
        Diagnostics(self, parts, hardware=robot.name)
        self.get_logger().info(f"connected to the robot at {parameters.host}")

    def close(self) -> None:
        """Bring the arm to rest; the fingers keep what they hold."""
        self._arm.close()
        if self._gripper is not None:
            self._gripper.close()

    def _on_arm(self, msg: JointTrajectory) -> None:
        try:
            velocity = arm_velocity(msg.joint_names, [], msg.points[-1].velocities if msg.points else [], self._fastest)
        except CommandError as error:
            self._warn(f"arm command ignored: {error}")
            return
        if why := self._rivals.look() or self._rivals.stranger() or self._agreement.look():
            self._warn(f"arm command ignored: {why}")
            return
        self._arm.send(velocity)
        self._followed_at = time.monotonic()

    def _on_gripper(self, gripper: FrankyGripper, msg: JointTrajectory) -> None:
        try:
            gripper.send(gripper_closing(msg.joint_names, msg.points[-1].positions if msg.points else []))
        except CommandError as error:
            self._warn(f"gripper command ignored: {error}")

    def _look(self) -> None:
        error = self._arm.error() or self._rivals.look() or self._agreement.error
        if self._gripper is not None:
            self._listen_for(self._gripper)
        reading = self._arm.read()
        if reading is not None:
            self._publish(*reading)
        if error != self._told:
            self._told = error
            self._errors.publish(String(data=error))
            if error:
                self.get_logger().error(f"the robot says: {error}")

    def _robot_health(self) -> Health:
        age = None if self._followed_at is None else time.monotonic() - self._followed_at
        values = {"age of the last command [s]": seconds(age)}
        if self._told is None:
            return Health(Level.STALE, "the robot was not looked at yet", values)
        if self._told:
            return Health(Level.ERROR, f"{self._told}; when that is mended, call arm_controller/recover", values)
        if why := self._agreement.look():
            return Health(Level.WARN, f"follows nobody: {why}", values)
        return Health(Level.OK, "follows", values)

    def _listen_for(self, gripper: FrankyGripper) -> None:
        # Only while the hand follows: so arm_controller knows whether it does, and refuses what nobody would do.
        if gripper.trouble:
            self._warn(gripper.trouble)
            if self._ear is not None:
                self.destroy_subscription(self._ear)
                self._ear = None
        elif self._ear is None:
            topic, heard = "fr3_gripper_controller/joint_trajectory", partial(self._on_gripper, gripper)
            self._ear = self.create_subscription(JointTrajectory, topic, heard, COMMAND)

    def _publish(self, position: NDArray[np.float64], velocity: NDArray[np.float64]) -> None:
        msg = JointState(name=list(JOINT_NAMES), position=position.tolist(), velocity=velocity.tolist())
        msg.header.stamp = self.get_clock().now().to_msg()
        width = None if self._gripper is None else self._gripper.width
        if width is not None:  # fingers that were not measured lately are not told of
            msg.name = [*msg.name, FINGER_JOINT]
            msg.position = [*msg.position, width / 2]
            msg.velocity = [*msg.velocity, 0.0]
        self._joints.publish(msg)

    def _on_recover(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        try:
            self._arm.recover()
            response.success, response.message = True, "recovered"
        except FrankyError as error:
            response.success, response.message = False, str(error)
        return response

    def _warn(self, words: str) -> None:
        self.get_logger().warning(words, throttle_duration_sec=WARNING_PERIOD)


def main(argv: list[str] | None = None) -> int:
    """Entry point of the executable `franky_driver`."""
    return run(FrankyDriver, argv)


if __name__ == "__main__":
    raise SystemExit(main())
