"""FR3 and its hand without ros2_control: the library franky (package franky-control), which speaks to the robot itself.

Its control loop runs a thousand times a second in a thread of its own, in C++. It is imported only where a robot is
connected to: nobody else needs it.
"""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WATCHDOG = 0.15
"""s of the robot's clock for which a command holds; without the next one the robot then comes to rest by itself."""
FINGER_SPEED = 0.1
"""Of the hand's fingers [m/s]."""
FORCE = 20.0
"""With which the hand closes [N]; it holds 70 N for a while."""
MAX_WIDTH = 0.08
"""Between the hand's fingers [m]."""
RETRY = 0.5
"""s between two attempts to reach a hand that does not answer."""
LEAVE_TIME = 0.5
"""Longest wait for the hand's thread [s]; it ends with the process."""


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
        raise FrankyError(f"the library franky can't be imported ({error}); pip install franky-control") from error


class FrankyArm:
    """The arm. Not thread-safe; `send` takes about 0.1 ms and waits for nothing."""

    def __init__(self, host: str, acceleration: Array, *, realtime: bool = True) -> None:
        """Connect. An error that the robot is in stays until `recover`.

        Args:
            host: address of the robot's control unit.
            acceleration: of the joints (7,) [rad/s^2], with which velocities are approached.
            realtime: refuse to drive from a kernel without PREEMPT_RT, as libfranka does.

        Raises:
            FrankyError: franky is not installed, or the robot does not answer.
        """
        self._franky, self._host, self._acceleration, self._realtime = library(), host, acceleration, realtime
        # A connection that breaks is a plain RuntimeError of the library below.
        self._failures = (self._franky.Exception, RuntimeError)
        self._failure = ""  # of the last motion
        self._is_away = False
        self._robot = self._connected()

    def send(self, velocity: Array) -> None:
        """Approach joint velocities (7,) [rad/s], and rest after WATCHDOG unless there is another command.

        After an error nothing is done until `recover`.
        """
        if self.error():
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
        state = self._state()
        return None if state is None else (np.array(state.q), np.array(state.dq))

    def error(self) -> str:
        """Why the robot does not follow, in words; empty while it does."""
        state = self._state()
        if state is None:
            return self._failure
        if state.robot_mode == self._franky.RobotMode.UserStopped:
            return "the user stop is pressed"
        return self._failure or _names(state.current_errors)

    def recover(self) -> None:
        """Get over an error, or connect anew if the robot was away; may take seconds.

        Raises:
            FrankyError: it did not work.
        """
        try:
            self._robot.recover_from_errors()
        except self._failures:
            self._robot = self._connected()
            with self._named():
                self._robot.recover_from_errors()
        self._failure, self._is_away = "", False

    def close(self) -> None:
        """Bring the arm to rest."""
        with contextlib.suppress(*self._failures):
            self._robot.move(self._franky.JointVelocityStopMotion(), asynchronous=False)

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
            limit.set([float(value) for value in np.minimum(self._acceleration, limit.max)])
        return robot

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except self._failures as error:
            raise FrankyError(f"robot at {self._host}: {_one_line(error)}") from error


class FrankyGripper:
    """The hand: follows the newest wish, in a thread of its own; no call waits for it."""

    def __init__(self, host: str) -> None:
        """Begin; the hand is connected in the background, and again whenever it was away."""
        self._franky, self._host = library(), host
        self._failures = (self._franky.Exception, RuntimeError)
        self._wish: float | None = None
        self._changed, self._over = threading.Event(), threading.Event()
        self.trouble = "not connected yet"
        """Why the hand does not follow, in words; empty while it does."""
        self.width = MAX_WIDTH
        """Between the fingers, as measured last [m]."""
        self._thread = threading.Thread(target=self._run, name="franka hand", daemon=True)
        self._thread.start()

    def send(self, closing: float) -> None:
        """Open (below 0.5) or close, which the gate has passed; returns at once."""
        if self._wish is None or (closing > 0.5) != (self._wish > 0.5):
            self._wish = closing
            self._changed.set()

    def close(self) -> None:
        """End the thread. The fingers keep what they hold."""
        self._over.set()
        self._changed.set()
        self._thread.join(LEAVE_TIME)

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._follow(self._franky.Gripper(self._host))
            except self._failures as error:
                self.trouble = f"hand at {self._host}: {_one_line(error)}"
                self._changed.set()  # so that it is told its wish again
                self._over.wait(RETRY)

    def _follow(self, hand: Any) -> None:
        while not self._over.is_set():
            self.width = hand.width
            self.trouble = ""
            if not self._changed.wait(0.05):
                continue
            self._changed.clear()
            if self._wish is None:
                continue
            if self._wish > 0.5:
                hand.grasp(0.0, FINGER_SPEED, FORCE, epsilon_outer=MAX_WIDTH)
            else:
                hand.move(MAX_WIDTH, FINGER_SPEED)


def _names(errors: Any) -> str:
    return ", ".join(name for name in dir(errors) if not name.startswith("_") and getattr(errors, name) is True)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
