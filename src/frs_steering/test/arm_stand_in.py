"""An arm for the controller's tests: integrates the commands it gets and reports its joints, all over real DDS."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import rclpy
from frs_msgs.action import MoveHome
from frs_msgs.msg import ActionChunk, ArmState, GateReport
from frs_msgs.srv import ClaimArm
from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.client import Client
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from frs_steering.nodes.heart import beating
from frs_steering.nodes.qos import COMMAND, EVENT, LATCHED, SENSOR
from frs_steering.robot.fr3 import BASE_FRAME, FINGER_JOINT, FINGER_OPEN, JOINT_NAMES, RESET_POSITION
from frs_steering.robot.spaces import ActionSpace

RATE = 100.0  # Hz, of joint states
WATCHDOG = 0.15  # s without a command until the arm holds by itself
ROW = 1.0 / 15.0  # s


@dataclass
class Commanded:
    """A command as it came, with the moment on the monotonic clock."""

    at: float
    velocity: np.ndarray
    position: np.ndarray


class ArmStandIn(Node):
    """The arm, and the ears and the mouth of the test; spun in a thread of its own."""

    def __init__(self) -> None:
        super().__init__("arm_stand_in")
        self.reports_joints = True
        self.spoil: Callable[[JointState], None] = lambda _: None
        self.position, self.velocity, self.finger = RESET_POSITION.copy(), np.zeros(7), FINGER_OPEN
        self.commands: list[Commanded] = []
        self.states: list[ArmState] = []
        self.reports: list[GateReport] = []
        self.epoch = 0
        self._moved_at = time.monotonic()
        self._changed = threading.Condition()

        self._joints = self.create_publisher(JointState, "joint_states", SENSOR)
        self._chunks = self.create_publisher(ActionChunk, "action_chunk", COMMAND)
        arm = "fr3_arm_controller/joint_trajectory"
        self.arm_ear = self.create_subscription(JointTrajectory, arm, self._on_command, COMMAND)
        self.create_subscription(JointTrajectory, "fr3_gripper_controller/joint_trajectory", self._on_grip, COMMAND)
        self.create_subscription(ArmState, "arm_state", lambda msg: self._keep(self.states, msg), LATCHED)
        self.create_subscription(GateReport, "gate_report", lambda msg: self._keep(self.reports, msg), EVENT)
        self._claim = self.create_client(ClaimArm, "arm_controller/claim")
        self.stop = self.create_client(Trigger, "arm_controller/stop")
        self.reset = self.create_client(Trigger, "arm_controller/reset")
        self.open_gripper = self.create_client(Trigger, "arm_controller/open_gripper")
        self.close_gripper = self.create_client(Trigger, "arm_controller/close_gripper")
        self.recover = self.create_client(Trigger, "arm_controller/recover")
        self.home = ActionClient(self, MoveHome, "arm_controller/home")
        self.create_timer(1.0 / RATE, self._move, clock=Clock(clock_type=ClockType.STEADY_TIME))

        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop spinning and go."""
        self._over.set()
        self._thread.join()
        self._executor.shutdown()
        self.destroy_node()

    def spin_too(self, node: Node) -> None:
        """Spin another node in the same thread, from now on."""
        self._executor.add_node(node)

    def until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait until `condition` holds, looked at after everything that comes."""
        with self._changed:
            assert self._changed.wait_for(condition, seconds), f"not within {seconds} s: {what}; {self.last_words()}"

    def until_state(self, state: int, seconds: float = 20.0) -> ArmState:
        """Wait until the controller is in `state`."""
        self.until(lambda: bool(self.states) and self.states[-1].state == state, seconds, f"state {state}")
        return self.states[-1]

    def last_words(self) -> str:
        """What the controller said last."""
        return f"{self.states[-1].state}: {self.states[-1].message}" if self.states else "the controller said nothing"

    def call(self, client: Client[Any, Any], request: object = None) -> Any:
        """Call a service from the test's thread."""
        assert client.wait_for_service(20.0), f"{client.srv_name} is not there"
        return answer(client.call_async(Trigger.Request() if request is None else request), client.srv_name)

    def until_success(self, client: Client[Any, Any], seconds: float) -> None:
        """Call a service again and again until it says that it succeeded."""
        end = time.monotonic() + seconds
        while not (said := self.call(client)).success:
            assert time.monotonic() < end, f"{client.srv_name} not within {seconds} s: {said.message}"

    def send_home(self, speed_scale: float = 1.0, feedback: list[float] | None = None) -> ClientGoalHandle:
        """Ask for the way home; the distances of its feedback are appended to `feedback`."""
        heard = [] if feedback is None else feedback
        assert self.home.wait_for_server(20.0), "arm_controller/home is not there"
        goal = MoveHome.Goal(speed_scale=speed_scale)
        return answer(self.home.send_goal_async(goal, lambda msg: heard.append(msg.feedback.distance)), "home")

    def end_of(self, goal: ClientGoalHandle, seconds: float = 20.0) -> Any:
        """Wait for the result of a way home, with its status."""
        return answer(goal.get_result_async(), "the way home", seconds)

    def claim(self, owner: str = "steering") -> ClaimArm.Response:
        """Claim the arm; chunks are sent in the epoch granted last."""
        answer = self.call(self._claim, ClaimArm.Request(owner=owner))
        self.epoch = answer.epoch or self.epoch
        return answer

    def send(self, chunk_id: int, speed: float = 0.2, **change: Any) -> None:
        """Send 16 rows along y with the gripper closed, due on the next step."""
        rows = np.tile([0.0, speed, 0.0, 0.0, 0.0, 0.0, 1.0], 16)
        msg = ActionChunk(
            chunk_id=chunk_id,
            owner_epoch=self.epoch,
            horizon=16,
            dim=7,
            row_duration=ROW,
            first_tick=self.states[-1].tick + 1,
            rows=rows.tolist(),
        )
        msg.header.frame_id = BASE_FRAME
        msg.action_space.value = int(ActionSpace.CARTESIAN_VELOCITY)
        msg.lease.sec = 1
        for name, value in change.items():
            setattr(msg, name, value)
        self._chunks.publish(msg)

    def verdict_on(self, chunk_id: int) -> GateReport:
        """Wait for what the gate says of a chunk as a whole."""
        found: list[GateReport] = []

        def judged() -> bool:
            found[:] = [report for report in self.reports if report.row == -1 and report.chunk_id == chunk_id]
            return bool(found)

        self.until(judged, 5.0, f"verdict on chunk {chunk_id}")
        return found[-1]

    def until_moving(self) -> None:
        """Wait until the arm moves at speed."""
        self.until(lambda: float(np.abs(self.velocity).max()) > 0.2, 5.0, "motion")

    def at_rest_since(self, moment: float) -> float:
        """Wait until a zero command came after `moment`; the seconds from one to the other."""

        def resting() -> bool:
            return any(command.at > moment and not command.velocity.any() for command in self.commands)

        self.until(resting, 5.0, "rest")
        return next(c.at for c in self.commands if c.at > moment and not c.velocity.any()) - moment

    def _spin(self) -> None:
        with beating(self._executor):
            while rclpy.ok() and not self._over.is_set():
                self._executor.spin_once(timeout_sec=0.1)

    def _keep(self, kept: list[Any], msg: object) -> None:
        with self._changed:
            kept.append(msg)
            self._changed.notify_all()

    def _on_command(self, msg: JointTrajectory) -> None:
        assert tuple(msg.joint_names) == JOINT_NAMES
        point = msg.points[0]
        command = Commanded(time.monotonic(), np.array(point.velocities), np.array(point.positions))
        self.velocity = command.velocity
        self._keep(self.commands, command)

    def _on_grip(self, msg: JointTrajectory) -> None:
        assert msg.joint_names == [FINGER_JOINT]
        self.finger = msg.points[0].positions[0]

    def _move(self) -> None:
        now = time.monotonic()
        if self.commands and now - self.commands[-1].at > WATCHDOG:
            self.velocity = np.zeros(7)
        self.position = self.position + self.velocity * (now - self._moved_at)
        self._moved_at = now
        if self.reports_joints:
            names = [FINGER_JOINT, *reversed(JOINT_NAMES)]  # in an order that is not ours
            msg = JointState(name=names, position=[self.finger, *self.position[::-1]])
            msg.velocity = [0.0, *self.velocity[::-1]]
            msg.header.stamp = self.get_clock().now().to_msg()
            self.spoil(msg)
            self._joints.publish(msg)


def answer(future: Future[Any], whose: str, seconds: float = 20.0) -> Any:
    """Wait for the result of a future from the test's thread."""
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    assert done.wait(seconds), f"no answer from {whose}"
    return future.result()


def assert_at_most_one_left_out(numbers: Sequence[int]) -> None:
    """Of consecutive numbers, in order.

    A control step that comes a whole step late, on a busy machine, is left out by design; a control thread that waited
    for something else would leave out many.
    """
    assert list(numbers) == sorted(set(numbers))
    assert numbers[-1] - numbers[0] + 1 - len(numbers) <= 1, numbers
