"""FR3 and its hand without ros2_control: the library franky (package franky-control), which speaks to the robot itself.

Its control loop runs a thousand times a second in a thread of its own, in C++. It is imported only where a robot is
connected to: nobody else needs it.
"""

from __future__ import annotations

import contextlib
import importlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frs_steering.arm.backends.follower import Follower
from frs_steering.arm.backends.franka_state import HELD, RobotMode
from frs_steering.arm.backends.interface import WATCHDOG

Array = NDArray[np.float64]

FINGER_SPEED = 0.1
"""Of the hand's fingers [m/s]."""
FORCE = 20.0
"""With which the hand closes [N]; it holds 70 N for a while."""
MAX_WIDTH = 0.08
"""Between the hand's fingers [m]."""
PERIOD = 0.05
"""s between two looks at the hand."""
MOTION_TIME = 10.0
"""s after which a motion of the hand, which takes one, hangs."""
FRESH = 0.25
"""s for which a width that was read counts."""
LEAVE_TIME = 0.5
"""Longest wait for a recovery on the way out [s]; it ends with the process."""


class FrankyError(RuntimeError):
    """The robot can't be used; the message says why."""


def library() -> Any:
    """The module franky.

    Raises:
        FrankyError: it is not installed.
    """
    try:
        return importlib.import_module("franky")
    except ImportError as error:
        hint = "pip install --no-deps franky-control==2.0.0 (docs/hardware.md)"
        raise FrankyError(f"the library franky can't be imported ({error}); {hint}") from error


class FrankyArm:
    """The arm. `send` takes about 0.1 ms and waits for nothing.

    `recover`, which takes long, may run in a thread of its own. It waits until another call has ended, which takes a
    second at most; while it runs the others return at once: nothing is sent or read, and the error is as before.

    Attributes:
        acceleration: with which velocities are approached (7,) [rad/s^2]; the library lets some joints have less.
    """

    def __init__(self, host: str, acceleration: Array, *, realtime: bool = True) -> None:
        """Connect. An error that the robot is in stays until `recover`.

        Args:
            host: address of the robot's control unit.
            acceleration: of the joints (7,) [rad/s^2], with which velocities are approached.
            realtime: refuse to drive from a kernel without PREEMPT_RT, as libfranka does.

        Raises:
            FrankyError: franky is not installed, or the robot does not answer.
        """
        self._franky, self._host, self.acceleration, self._realtime = library(), host, acceleration, realtime
        # A connection that breaks is a plain RuntimeError of the library below.
        self._failures = (self._franky.Exception, RuntimeError)
        modes = self._franky.RobotMode
        self._held = {modes.UserStopped: HELD[RobotMode.USER_STOPPED], modes.Guiding: HELD[RobotMode.GUIDING]}
        self._failure = ""  # of the last motion
        self._is_away = False
        self._said = ""  # the error as it was last told
        self._lock = threading.Lock()
        self._robot = self._connected()

    def send(self, velocity: Array) -> None:
        """Approach joint velocities (7,) [rad/s], and rest after WATCHDOG unless there is another command.

        After an error nothing is done until `recover`.
        """
        with self._unless_recovering() as is_free:
            if not is_free or self._present_error():
                return
            franky = self._franky
            motion = franky.JointVelocityMotion(
                [float(value) for value in velocity], duration=franky.Duration(round(1000 * WATCHDOG))
            )
            try:
                self._robot.move(motion, asynchronous=True)
            except self._failures as error:
                self._failure = _one_line(error)

    def read(self) -> tuple[Array, Array] | None:
        """Measured joint positions (7,) [rad] and velocities (7,) [rad/s]; None while the robot is away."""
        with self._unless_recovering() as is_free:
            state = self._state() if is_free else None
            return None if state is None else (np.array(state.q), np.array(state.dq))

    def error(self) -> str:
        """Why the robot does not follow, in words; empty while it does."""
        with self._unless_recovering() as is_free:
            if is_free:
                self._said = self._present_error()
        return self._said

    def recover(self) -> None:
        """Get over an error, or connect anew if the robot was away; may take seconds.

        Raises:
            FrankyError: it did not work, or the arm is in somebody's hands.
        """
        with self._lock:
            state = self._state()
            if state is None:
                self._robot, self._is_away = self._connected(), False
            elif held := self._held.get(state.robot_mode):
                raise FrankyError(f"{held} first")
            with self._named():
                self._robot.recover_from_errors()
            self._failure = ""

    def close(self) -> None:
        """Bring the arm to rest."""
        if not self._lock.acquire(timeout=LEAVE_TIME):
            return  # it is being recovered, so it rests
        try:
            with contextlib.suppress(*self._failures):
                self._robot.move(self._franky.JointVelocityStopMotion(), asynchronous=False)
        finally:
            self._lock.release()

    @contextlib.contextmanager
    def _unless_recovering(self) -> Iterator[bool]:
        # Whether the robot may be used now: nobody else does, which only `recover` does for long.
        is_free = self._lock.acquire(blocking=False)
        try:
            yield is_free
        finally:
            if is_free:
                self._lock.release()

    def _present_error(self) -> str:
        state = self._state()
        if state is None:
            return self._failure
        return self._held.get(state.robot_mode, "") or self._failure or _names(state.current_errors)

    def _state(self) -> Any:
        # None once the robot is away, until `recover`: the library would wait for it for a second each time.
        if self._is_away:
            return None
        try:
            self._robot.poll_motion()
        except self._failures as error:
            self._failure = _one_line(error)
        try:
            return self._robot.state
        except self._failures as error:
            self._failure, self._is_away = f"robot at {self._host}: {_one_line(error)}", True
            return None

    def _connected(self) -> Any:
        config = self._franky.RealtimeConfig
        with self._named():
            robot = self._franky.Robot(self._host, realtime_config=config.Enforce if self._realtime else config.Ignore)
            limit = robot.joint_acceleration_limit  # franky's own greatest ones are the Panda's
            self.acceleration = np.minimum(self.acceleration, limit.max)
            limit.set([float(value) for value in self.acceleration])
        return robot

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except self._failures as error:
            raise FrankyError(f"robot at {self._host}: {_one_line(error)}") from error


class FrankyGripper(Follower):
    """The hand. Below 0.5 a wish opens, above it closes."""

    def __init__(self, host: str) -> None:
        """Begin; see `Follower`."""
        self._franky, self._host = library(), host
        self._read: tuple[float, float] | None = None  # the width [m], and when it was read [s, monotonic]
        self._hand: Any = None
        self._motion: Any = None  # the library's future of the motion under way
        super().__init__("franka hand", "hand: not connected yet")

    @property
    def width(self) -> float | None:
        """Between the fingers, as measured just now [m]; None while nothing is measured."""
        read = self._read
        return None if read is None or time.monotonic() - read[1] > FRESH else read[0]

    def _serve(self) -> None:
        self._hand = self._franky.Gripper(self._host)
        self._follow(self._hand)

    def _words(self, error: Exception) -> str:
        return f"hand at {self._host}: {_one_line(error)}"

    def _leave(self) -> None:
        if self._motion is not None:
            self._motion.wait()  # the library crashes if its hand goes before a motion that it was asked for
            self._motion = None
        self._hand = None

    def _follow(self, hand: Any) -> None:
        self._wish = None
        done: bool | None = None  # what was asked of the hand last: closed, or open
        ends = 0.0  # when the motion under way should have ended [s, monotonic]
        while not self._over.is_set():
            width = hand.width  # of a hand that has vanished this may never return
            self._read = width, time.monotonic()
            is_late = self._motion is not None and time.monotonic() > ends
            hung = self._heard(self._words(TimeoutError("its motion does not end")) if is_late else "")
            if hung or is_late:
                self._wish = done = None
            wish = self._wish
            if self._motion is not None and self._motion.wait(0):
                ended, self._motion = self._motion, None
                ended.get()  # raises what went wrong
            if self._motion is None and wish is not None and (wish > 0.5) != done:
                done = wish > 0.5
                ends = time.monotonic() + MOTION_TIME
                if done:
                    self._motion = hand.grasp_async(0.0, FINGER_SPEED, FORCE, epsilon_outer=MAX_WIDTH)
                else:
                    self._motion = hand.move_async(MAX_WIDTH, FINGER_SPEED)
            self._over.wait(PERIOD)


def _names(errors: Any) -> str:
    return ", ".join(name for name in dir(errors) if not name.startswith("_") and getattr(errors, name) is True)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
