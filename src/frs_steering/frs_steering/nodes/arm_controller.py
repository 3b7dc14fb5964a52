"""The node that drives the arm: chunks in, gated commands out, 15 times a second on a thread of its own."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from builtin_interfaces.msg import Time
from frs_msgs.msg import ActionChunk, ArmState, GateReport, LeaseRenewal
from frs_msgs.srv import ClaimArm
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from frs_steering.arm.backends.interface import GripperBackend
from frs_steering.arm.execution import Execution
from frs_steering.arm.homing import Homing
from frs_steering.arm.limits import FINGERTIPS, greatest_accelerations, greatest_speeds, limits_of
from frs_steering.arm.outcome import Outcome
from frs_steering.arm.reading import JointReader, ReadingError
from frs_steering.arm.robots import ROBOTS
from frs_steering.arm.settings import Settings
from frs_steering.arm.states import SAID_AT_REST, State
from frs_steering.arm.verdicts import Verdict
from frs_steering.health.arm import Rejection, arm_health, gate_health, gripper_health
from frs_steering.health.report import Health
from frs_steering.nodes.arm_home import HomeAction
from frs_steering.nodes.arm_messages import arm_state, chunk_from_msg, chunk_report, renewal_report, step_report
from frs_steering.nodes.arm_recovery import Recovery
from frs_steering.nodes.conversions import seconds
from frs_steering.nodes.diagnostics import Diagnostics
from frs_steering.nodes.joint_ear import hear_joints
from frs_steering.nodes.parameters import ParameterError, declare, param
from frs_steering.nodes.qos import COMMAND, EVENT, LATCHED
from frs_steering.nodes.robotiq_gripper import RobotiqGripper
from frs_steering.nodes.runtime import REALTIME, run
from frs_steering.nodes.teller import Teller
from frs_steering.nodes.trajectory_backend import TrajectoryArm, TrajectoryGripper
from frs_steering.robot.fr3 import BASE_FRAME
from frs_steering.robot.spaces import ActionSpace

SWITCH_INTERVAL = 0.0005
"""How soon a busy callback gives way to the control thread [s]; Python's own default is 5 ms."""
FIFO_PRIORITY = REALTIME + 1
"""Real-time priority of the control thread, before the node's own callbacks, where that is allowed."""
CLOSING_TIME = 1.5
"""Longest wait for the arm to rest before the node goes [s]."""
TELLING_TIME = 0.5
"""Longest wait for the last messages to be sent before the node goes [s]."""
LOOK_PERIOD = 0.5
"""s between two looks at the gripper's trouble, at who follows the arm's commands, and at who else gives some."""
WARNING_PERIOD = 2.0
"""Least time between two warnings of the same kind [s]."""
REMEMBERED = 75
"""Control steps that the diagnostics look back on: 5 s at 15 Hz."""


@dataclass(frozen=True)
class ArmControllerParameters:
    """Parameters of the node; the limits are explained in `arm.limits.Limits`."""

    robot: str = param("fr3", "whose limits the gate holds", choices=tuple(ROBOTS))
    action_space: str = param(
        "cartesian_velocity",
        "what the columns of a chunk mean; chunks of another space are rejected",
        choices=("joint_velocity", "joint_position", "cartesian_velocity"),
    )
    gripper: str = param(
        "franka_hand", "'franka_hand' hears a topic, 'robotiq' is a 2F-85 on a serial port", choices=tuple(FINGERTIPS)
    )
    gripper_port: str = param("", "serial port of the Robotiq, such as /dev/serial/by-id/...; only it needs one")
    simulated: bool = param(
        False,
        "the arm is a simulated one: it can be set elsewhere at once; joint states that say so of a robot are a fault",
    )
    starts_stopped: bool = param(
        False, "begin stopped, until arm_controller/reset: what had stopped the arm may be why this node died"
    )
    control_rate: float = param(15.0, "control steps a second [Hz]; a chunk's rows must last as long", low=10, high=100)
    lease_max: float = param(1.5, "longest lease of a chunk [s]", low=0.1, high=5)
    joint_state_timeout: float = param(0.25, "age at which joint states are stale [s]", low=0.02, high=2)
    joint_speed: float = param(
        2.0, "greatest speed of a joint [rad/s]; no more counts than can be stopped within 0.2 s", low=0.05, high=2
    )
    joint_acceleration: float = param(
        16.0, "greatest acceleration of a joint [rad/s^2]; at most 80 % of the robot's own counts", low=0.5, high=16
    )
    linear_speed: float = param(0.5, "greatest speed of the tool centre point [m/s]", low=0.01, high=1)
    angular_speed: float = param(2.0, "greatest angular speed of the hand [rad/s]", low=0.05, high=2.5)
    workspace_low: Sequence[float] = param(
        [0.2, -0.5, 0.0], "smallest x, y, z of the tool centre point [m]", low=-1.2, high=1.2
    )
    workspace_high: Sequence[float] = param(
        [0.8, 0.5, 0.8], "greatest x, y, z of the tool centre point [m]", low=-1.2, high=1.2
    )
    table_height: float = param(0.0, "height of the table, which the fingertips do not enter [m]", low=-1, high=1)


def settings_from(parameters: ArmControllerParameters, first_epoch: int) -> Settings:
    """The controller's settings.

    Raises:
        ParameterError: parameters contradict each other; the message names them.
    """
    if (parameters.gripper == "robotiq") != bool(parameters.gripper_port):
        raise ParameterError(
            f"parameters of node 'arm_controller': gripper is {parameters.gripper!r} and gripper_port "
            f"{parameters.gripper_port!r}; 'robotiq' needs the path of its serial port, 'franka_hand' has none"
        )
    robot = ROBOTS[parameters.robot]
    period = 1.0 / parameters.control_rate
    acceleration = greatest_accelerations(robot, parameters.joint_acceleration)
    try:
        limits = limits_of(
            robot,
            velocity=np.minimum(greatest_speeds(robot, acceleration), parameters.joint_speed),
            acceleration=acceleration,
            linear_speed=parameters.linear_speed,
            angular_speed=parameters.angular_speed,
            workspace_low=np.array(parameters.workspace_low),
            workspace_high=np.array(parameters.workspace_high),
            table_height=parameters.table_height,
            fingertips=FINGERTIPS[parameters.gripper],
        )
        limits.check_period(period)
    except ValueError as error:
        raise ParameterError(f"parameters of node 'arm_controller': {error}") from error
    return Settings(
        space=ActionSpace[parameters.action_space.upper()],
        frame=BASE_FRAME,
        period=period,
        lease_max=parameters.lease_max,
        state_timeout=parameters.joint_state_timeout,
        first_epoch=first_epoch,
        limits=limits,
        simulated=parameters.simulated,
        starts_stopped=parameters.starts_stopped,
    )


class ArmController(Node):
    """Adapter around `Execution`: the callbacks run in the executor's thread, the control steps in another."""

    def __init__(self) -> None:
        sys.setswitchinterval(SWITCH_INTERVAL)
        super().__init__("arm_controller")
        # An epoch must not come back after a restart. The microseconds since the computer was started outrun any number
        # of claims, and unlike the wall clock nobody sets them back.
        parameters = declare(self, ArmControllerParameters)
        settings = settings_from(parameters, first_epoch=time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000)
        # ROS takes a file without a section of this node's name in silence, so here a person sees what really holds.
        self.get_logger().info(f"limits: {settings.limits.in_words()}")
        self._period = settings.period
        self._execution = Execution(settings)
        self._reader = JointReader(settings.state_timeout)
        self._lock = threading.Lock()
        self._tick = 0
        self._closing = threading.Event()
        self._error: Exception | None = None
        self._teller = Teller(self._on_untold)
        self._arm = TrajectoryArm(self, self._period, self._look_at_arm)
        self._rivalry = ""  # who else commands the arm, in words
        self._unheard = ""  # that nobody follows its commands, in words
        self._gripper: GripperBackend = (
            RobotiqGripper(self, parameters.gripper_port)
            if parameters.gripper == "robotiq"
            else TrajectoryGripper(self, self._period)
        )
        self._told_trouble = ""
        # For the diagnostics: what came of the last control steps, and when on the monotonic clock [s].
        self._recent: deque[Outcome] = deque(maxlen=REMEMBERED)
        self._stepped_at = time.monotonic()
        self._read_at: float | None = None
        self._rejection: Rejection | None = None
        self._rejected = 0
        self._robot_error = ""
        self._states = self.create_publisher(ArmState, "arm_state", LATCHED)
        self._reports = self.create_publisher(GateReport, "gate_report", EVENT)
        # The arm, its fingers, or both in one.
        topics = ("joint_states", "fr3_gripper_controller/joint_states")
        hear_joints(self, dict.fromkeys(topics, self._on_joint_state))
        self.create_subscription(ActionChunk, "action_chunk", self._on_chunk, COMMAND)
        self.create_subscription(LeaseRenewal, "lease_renewal", self._on_renewal, COMMAND)
        self.create_service(ClaimArm, "arm_controller/claim", self._on_claim)
        self.create_service(Trigger, "arm_controller/stop", self._on_stop)
        self.create_service(Trigger, "arm_controller/reset", self._on_reset)
        self.create_service(Trigger, "arm_controller/open_gripper", lambda _, response: self._on_grip(0.0, response))
        self.create_service(Trigger, "arm_controller/close_gripper", lambda _, response: self._on_grip(1.0, response))
        for look in (self._look_at_gripper, self._look_at_arm):
            self.create_timer(LOOK_PERIOD, look, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._home = HomeAction(self, self._set_out, self._progress, self._cancel_home)
        self._recovery = Recovery(self, self._report, self._recover, self._is_heard)
        self.side_nodes = (self._recovery.node,)
        parts = {"arm": self._arm_health, "gate": self._gate_health, "gripper": self._gripper_health}
        Diagnostics(self, parts, hardware=parameters.robot)
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Bring the arm to rest and end the control thread.

        Raises:
            Exception: what ended the control thread before.
        """
        with self._lock:
            self._execution.stop("the controller shuts down")
        self._closing.set()
        self._thread.join(CLOSING_TIME)
        self._teller.close(TELLING_TIME)
        self._gripper.close()
        self._home.close()
        if self._error is not None:
            raise self._error

    def _on_joint_state(self, msg: JointState) -> None:
        try:
            reading = self._reader.put(msg.name, msg.position, msg.velocity, time.monotonic())
        except ReadingError as error:
            self.get_logger().warning(f"joint_states ignored: {error}", throttle_duration_sec=WARNING_PERIOD)
            return
        if reading is None:  # the fingers alone
            return
        now = self._read_at = time.monotonic()
        with self._lock:
            doubt = self._execution.observe(reading, now)
        self._recovery.heard()
        if doubt:
            self.get_logger().warning(f"joint_states doubted: {doubt}", throttle_duration_sec=WARNING_PERIOD)

    def _on_chunk(self, msg: ActionChunk) -> None:
        begun = time.perf_counter()
        chunk = chunk_from_msg(msg)
        with self._lock:
            judgement = self._execution.admit(chunk, time.monotonic())
            tick = self._tick
        duration = time.perf_counter() - begun
        stamp = self.get_clock().now().to_msg()
        self._reports.publish(chunk_report(judgement, chunk.chunk_id, tick, duration, stamp))
        if judgement.verdict is Verdict.REJECTED:
            self._rejection = Rejection(judgement.reason, judgement.detail, time.monotonic())
            self._rejected += 1
            self.get_logger().warning(f"rejected {judgement.detail}", throttle_duration_sec=WARNING_PERIOD)

    def _on_renewal(self, msg: LeaseRenewal) -> None:
        with self._lock:
            renewed = self._execution.renew(msg.owner_epoch, msg.chunk_id, seconds(msg.lease), time.monotonic())
            tick = self._tick
        if not renewed:
            self._reports.publish(renewal_report(msg, tick, self.get_clock().now().to_msg()))

    def _on_claim(self, request: ClaimArm.Request, response: ClaimArm.Response) -> ClaimArm.Response:
        with self._lock:
            claim = self._execution.claim(request.owner, time.monotonic())
        response.success, response.message, response.epoch = claim.granted, claim.message, claim.epoch
        self.get_logger().info(f"claim {claim.message}")
        return response

    def _on_stop(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        with self._lock:
            self._execution.stop("arm_controller/stop was called")
        response.success, response.message = True, "stopped; call arm_controller/reset to go on"
        return response

    def _on_reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        with self._lock:
            response.success, response.message = self._execution.reset()
        return response

    def _on_grip(self, closing: float, response: Trigger.Response) -> Trigger.Response:
        # Before it is asked: what was refused must not happen once the gripper is back.
        if trouble := self._gripper.trouble:
            response.success, response.message = False, trouble
            return response
        with self._lock:
            response.success, response.message = self._execution.grip(closing, time.monotonic())
        return response

    def _look_at_gripper(self) -> None:
        # The arm goes on without its gripper: the fingers keep what they hold, and a hold would not help them.
        trouble = self._gripper.trouble
        if trouble != self._told_trouble:
            self._told_trouble = trouble
            self.get_logger().warning(trouble) if trouble else self.get_logger().info("the gripper follows")

    def _look_at_arm(self) -> None:
        self._unheard = self._arm.trouble
        if lost := self._teller.lost:
            self.get_logger().error(f"{lost} messages were never told: who hears them?", throttle_duration_sec=10.0)
        # The gate can't hold back what goes past it; but two wills on one arm are one too many, so ours yields.
        rivalry = self._arm.rivals.look()
        if rivalry != self._rivalry:
            self._rivalry = rivalry
            if rivalry:
                self.get_logger().error(rivalry)
            self._report(self._robot_error)

    def _arm_health(self) -> Health:
        recent, now = tuple(self._recent)[-2:], time.monotonic()
        return arm_health(
            recent[-1] if recent else None,
            now - self._stepped_at,
            None if self._read_at is None else now - self._read_at,
            starved=len(recent) == 2 and recent[1].ticks_starved > recent[0].ticks_starved,
            robot_error=self._robot_error,
            rivalry=self._rivalry,
            unheard=self._unheard,
        )

    def _gate_health(self) -> Health:
        return gate_health(tuple(self._recent), self._rejection, self._rejected, time.monotonic())

    def _gripper_health(self) -> Health:
        return gripper_health(self._told_trouble)

    def _set_out(self, speed: float) -> tuple[bool, str]:
        with self._lock:
            return self._execution.home(speed, time.monotonic())

    def _progress(self) -> Homing | None:
        with self._lock:
            return self._execution.homing

    def _cancel_home(self) -> None:
        with self._lock:
            self._execution.cancel_home()

    def _report(self, error: str) -> None:
        self._robot_error = error
        with self._lock:
            self._execution.report(error, self._rivalry)

    def _recover(self) -> tuple[bool, str]:
        with self._lock:
            return self._execution.recover(time.monotonic())

    def _is_heard(self) -> bool:
        with self._lock:
            return not self._execution.staleness(time.monotonic())

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(FIFO_PRIORITY))
        try:
            self._step_until_closed()
        except Exception as error:
            # Without control steps the backend's watchdog stops the arm; a process that lives on would hide it.
            self.get_logger().fatal(f"the control thread ends: {error!r}")
            self._error = error
            self.context.try_shutdown()

    def _step_until_closed(self) -> None:
        begun, tick, at_rest = time.monotonic(), 0, 0
        state = State.IDLE
        while at_rest < SAID_AT_REST:  # so that the backend surely has a zero command before the node goes
            due = begun + (tick + 1) * self._period
            time.sleep(max(0.0, due - time.monotonic()))
            now = time.monotonic()
            # Steps that were missed are skipped, so that a tick keeps its place in time.
            tick = max(tick + 1, math.floor((now - begun) / self._period))
            with self._lock:
                outcome = self._execution.tick(tick, now)
                self._tick = tick
            self._recent.append(outcome)
            self._stepped_at = now
            if outcome.command is not None:
                self._arm.send(outcome.command)
            if outcome.grip is not None:
                self._gripper.send(outcome.grip)
            self._teller.tell(partial(self._tell, outcome, tick, now - due, self.get_clock().now().to_msg()))
            if outcome.state is not state:
                state = outcome.state
                self.get_logger().info(f"{state.name}: {outcome.message}")
            resting = self._closing.is_set() and not outcome.velocity.any()
            at_rest = at_rest + 1 if resting else 0

    def _on_untold(self, error: Exception) -> None:
        self.get_logger().error(f"not told: {error!r}", throttle_duration_sec=WARNING_PERIOD)

    def _tell(self, outcome: Outcome, tick: int, lateness: float, stamp: Time) -> None:
        self._states.publish(arm_state(outcome, tick, stamp, self._gripper.trouble))
        self._reports.publish(step_report(outcome, tick, lateness, stamp))


def main(argv: list[str] | None = None) -> int:
    """Entry point of the executable `arm_controller`."""
    return run(ArmController, argv, realtime=True)
