"""The simulated cell as a robot and two cameras on ROS topics."""

from __future__ import annotations

import math
import sys
import time
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from builtin_interfaces.msg import Time
from frs_msgs.msg import SimTruth, TaskState
from frs_msgs.srv import ResetTask
from geometry_msgs.msg import Point, Pose, Quaternion
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rosgraph_msgs.msg import Clock as ClockMsg
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from frs_sim.graphics import GraphicsError
from frs_steering.arm.backends.commands import CommandError, arm_velocity, gripper_closing
from frs_steering.nodes.parameters import declare, param
from frs_steering.nodes.qos import COMMAND, LATCHED, SENSOR
from frs_steering.nodes.runtime import run
from frs_steering.robot.fr3 import BASE_FRAME, FINGER_JOINT, JOINT_NAMES

if TYPE_CHECKING:  # at run time they are imported late: without OpenGL the import of mujoco itself fails
    from frs_sim.cell import Truth
    from frs_sim.world import JointSample, Progress, World

WARN_EVERY = 2.0  # s
LOST_EVERY = 10.0  # s between two warnings about lost time
SWITCH_INTERVAL = 0.0005
"""s after which a busy thread gives way to the physics; Python's own default is 5 ms."""

RESET_TIMEOUT = 5.0
"""s; a reset takes about 10 ms."""

_NANO = 1_000_000_000


@dataclass(frozen=True)
class SimParameters:
    """Parameters of the node."""

    task: str = param("egg_in_basket", "name of the first task; sim/reset chooses others")
    seed: int = param(0, "of the first scene", low=0, high=2**62)
    realtime_factor: float = param(1.0, "simulated s per s; 0 runs as fast as it can", low=0.0, high=10.0)
    camera_rate: float = param(15.0, "Hz, of each camera", low=1.0, high=60.0)


class Sim(Node):
    """Publishes what the cell's robot and cameras measure, follows commands, and resets the scene on request.

    Stamps are simulated time, which begins at the wall clock's time of the start: so they can be compared with
    the stamps of nodes that do not follow /clock, and a restarted simulation does not go back in time.
    """

    def __init__(self) -> None:
        sys.setswitchinterval(SWITCH_INTERVAL)
        super().__init__("sim")
        parameters = declare(self, SimParameters)
        self._began = time.time_ns()
        self._clock_ticks = self.create_publisher(ClockMsg, "/clock", SENSOR)  # absolute: where ROS looks for it
        self._joints = self.create_publisher(JointState, "joint_states", SENSOR)
        self._task_state = self.create_publisher(TaskState, "task_state", LATCHED)
        self._instruction = self.create_publisher(String, "instruction", LATCHED)
        self._announced = -1  # the episode whose instruction was published
        self._truth = self.create_publisher(SimTruth, "sim/truth", SENSOR)
        cameras = ("exterior", "wrist")
        self._images = {c: self.create_publisher(Image, f"camera/{c}/color/image_raw", SENSOR) for c in cameras}
        self._infos = {c: self.create_publisher(CameraInfo, f"camera/{c}/color/camera_info", SENSOR) for c in cameras}
        self._focal_length: dict[str, float] = {}
        self._lost = 0.0
        self._world = self._open(parameters)
        self.create_subscription(JointTrajectory, "fr3_arm_controller/joint_trajectory", self._on_arm, COMMAND)
        self.create_subscription(JointTrajectory, "fr3_gripper_controller/joint_trajectory", self._on_gripper, COMMAND)
        self.create_service(ResetTask, "sim/reset", self._on_reset)
        self.create_timer(0.5, self._look_after_world, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def close(self) -> None:
        """Stop the physics and the cameras."""
        self._world.close()

    def _open(self, parameters: SimParameters) -> World:
        try:
            from frs_sim.scene import CAMERAS, IMAGE_SIZE, SceneError
            from frs_sim.world import World
        except (AttributeError, OSError, RuntimeError) as error:  # what PyOpenGL and mujoco raise without a GL library
            raise GraphicsError(error) from error
        for camera, pose in CAMERAS.items():
            self._focal_length[camera] = IMAGE_SIZE / 2 / math.tan(math.radians(pose.fovy) / 2)
        try:
            return World(parameters.task, parameters.seed, parameters.realtime_factor, parameters.camera_rate, self)
        except SceneError as error:
            raise OSError(str(error)) from error

    def _look_after_world(self) -> None:
        if not self._world.alive:
            raise RuntimeError("the simulation's physics or cameras ended by an error, see above")

    # Commands

    def _on_arm(self, msg: JointTrajectory) -> None:
        try:
            point = _only_point(msg)
            self._world.drive(arm_velocity(msg.joint_names, point.positions, point.velocities))
        except CommandError as error:
            self.get_logger().warning(f"arm command ignored: {error}", throttle_duration_sec=WARN_EVERY)

    def _on_gripper(self, msg: JointTrajectory) -> None:
        try:
            self._world.grip(gripper_closing(msg.joint_names, _only_point(msg).positions))
        except CommandError as error:
            self.get_logger().warning(f"gripper command ignored: {error}", throttle_duration_sec=WARN_EVERY)

    def _on_reset(self, request: ResetTask.Request, response: ResetTask.Response) -> ResetTask.Response:
        try:
            progress = self._world.reset(request.task, request.seed).result(RESET_TIMEOUT)
        except FutureTimeoutError:
            response.message = f"the physics did not reset the scene within {RESET_TIMEOUT:.0f} s"
            return response
        except ValueError as error:
            response.message = str(error)
            return response
        response.success = True
        response.message = f"{progress.task.name}, seed {progress.seed}"
        response.instruction = progress.task.instruction
        response.step_limit = progress.task.step_limit
        self.get_logger().info(f"scene reset: {response.message}")
        return response

    # What the world measures; called in its threads. Each publisher is used by one thread.

    def on_joints(self, stamp: int, joints: JointSample) -> None:
        """Publish the joints and the clock."""
        msg = JointState(name=[*JOINT_NAMES, FINGER_JOINT])
        msg.header.stamp = self._time(stamp)
        msg.position = [*joints.position.tolist(), joints.finger]
        msg.velocity = [*joints.velocity.tolist(), joints.finger_velocity]
        self._joints.publish(msg)
        self._clock_ticks.publish(ClockMsg(clock=msg.header.stamp))

    def on_progress(self, stamp: int, progress: Progress, truth: Truth) -> None:
        """Publish how the task stands, and the truth; with each new scene the task in words, for the policy."""
        if progress.episode != self._announced:
            self._announced = progress.episode
            self._instruction.publish(String(data=progress.task.instruction))
        state = TaskState(
            task=progress.task.name,
            instruction=progress.task.instruction,
            seed=progress.seed,
            episode=progress.episode,
            step=progress.step,
            step_limit=progress.task.step_limit,
            success=progress.success,
        )
        state.header.stamp = self._time(stamp)
        self._task_state.publish(state)
        msg = SimTruth(task=state.task, episode=state.episode, held=truth.held, gripper=truth.gripper)
        msg.touched = progress.touched
        msg.header.stamp = state.header.stamp
        msg.header.frame_id = BASE_FRAME
        msg.names = list(truth.positions)
        msg.poses = [_pose(truth.positions[name], truth.quaternions[name]) for name in truth.positions]
        msg.tcp_pose = _pose(truth.tcp_position, truth.tcp_quaternion)
        self._truth.publish(msg)

    def on_image(self, stamp: int, camera: str, image: np.ndarray) -> None:
        """Publish an image and its camera's geometry."""
        height, width, _ = image.shape
        info = _camera_info(height, width, self._focal_length[camera])
        info.header.stamp = self._time(stamp)
        info.header.frame_id = f"camera_{camera}_color_optical_frame"
        msg = Image(header=info.header, height=height, width=width, encoding="rgb8", step=3 * width)
        msg.data.frombytes(image)  # 0.03 ms; assigning an array to msg.data takes 40 ms
        self._images[camera].publish(msg)
        self._infos[camera].publish(info)

    def on_lost(self, seconds: float) -> None:
        """Say that the simulation is slower than asked for."""
        self._lost += seconds
        self.get_logger().warning(
            f"the simulation can't keep up and has lost {self._lost:.1f} s in all; is the machine overloaded?",
            throttle_duration_sec=LOST_EVERY,
        )

    def _time(self, stamp: int) -> Time:
        whole = self._began + stamp
        return Time(sec=whole // _NANO, nanosec=whole % _NANO)


def _only_point(msg: JointTrajectory) -> JointTrajectoryPoint:
    if len(msg.points) != 1:
        raise CommandError(f"it has {len(msg.points)} points; it must have 1")
    return msg.points[0]


def _pose(position: np.ndarray, quaternion: np.ndarray) -> Pose:
    w, x, y, z = quaternion.tolist()
    px, py, pz = position.tolist()
    return Pose(position=Point(x=px, y=py, z=pz), orientation=Quaternion(x=x, y=y, z=z, w=w))


def _camera_info(height: int, width: int, f: float) -> CameraInfo:
    # A pinhole without distortion; pixel centres have whole coordinates, so the middle is at (width - 1) / 2.
    # f: focal length in pixels.
    u, v = (width - 1) / 2, (height - 1) / 2
    return CameraInfo(
        height=height,
        width=width,
        distortion_model="plumb_bob",
        d=[0.0] * 5,
        k=[f, 0.0, u, 0.0, f, v, 0.0, 0.0, 1.0],
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[f, 0.0, u, 0.0, 0.0, f, v, 0.0, 0.0, 0.0, 1.0, 0.0],
    )


def main(argv: list[str] | None = None) -> int:
    """Entry point of the executable `sim`."""
    return run(Sim, argv)
