"""Limits that the gate holds: ours, which are lower than the robot's own in `arm.robots`."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frs_steering.arm.robots import FR3, Robot, fixed

Array = NDArray[np.float64]

MARGIN = 0.05
"""How far inside the robot's own joint positions ours are [rad]."""
ACCELERATION_SHARE = 0.8
"""Of the robot's own acceleration that is ours."""
JOINT_SPEED = 2.0
"""Of no joint more than this [rad/s]."""
STOPPING_TIME = 3 / 15
"""s in which every joint can be brought to rest from its greatest speed: within three control steps of 15 Hz, so that
the arm rests within 0.3 s of a lease's end, and with a lease of 0.3 s within 0.5 s of its owner's death."""


@dataclasses.dataclass(frozen=True)
class Limits:
    """What no command may exceed. The defaults are ours for the FR3, see `limits_of` for another robot.

    Jerk needs no check of its own: the acceleration can turn round within one control step at most, and `check_period`
    holds the jerk that this makes against the robot's own.

    Attributes:
        robot: whose own limits these must stay within; also the speeds near the ends of its joints' ranges.
        position_low: smallest joint positions (7,) [rad].
        position_high: largest joint positions (7,) [rad].
        velocity: joint speeds (7,) [rad/s].
        acceleration: change of joint velocity (7,) [rad/s^2].
        linear_speed: of the TCP [m/s], mean over a control step.
        angular_speed: of the hand [rad/s], mean over a control step.
        workspace_low: smallest TCP coordinates (3,) [m] in the base frame.
        workspace_high: largest TCP coordinates (3,) [m] in the base frame.
        table_height: height of the table [m] in the base frame; neither wrist, hand nor fingers go below it.
        lead: how far the commanded joint positions may run ahead of the measured ones at rest [rad].
        lead_time: and how much further per joint speed [s]: the delay that is normal while moving.

    Raises:
        ValueError: a limit is not finite, empty, or above the robot's own; the message names it.
    """

    robot: Robot = FR3
    position_low: Array = dataclasses.field(default_factory=lambda: FR3.position_low + MARGIN)
    position_high: Array = dataclasses.field(default_factory=lambda: FR3.position_high - MARGIN)
    velocity: Array = dataclasses.field(default_factory=lambda: greatest_speeds(FR3))
    acceleration: Array = dataclasses.field(default_factory=lambda: ACCELERATION_SHARE * FR3.acceleration)
    linear_speed: float = 0.5
    angular_speed: float = 2.0
    workspace_low: Array = dataclasses.field(default_factory=lambda: fixed(0.2, -0.5, 0.0))
    workspace_high: Array = dataclasses.field(default_factory=lambda: fixed(0.8, 0.5, 0.8))
    table_height: float = 0.0
    lead: float = 0.02
    lead_time: float = 0.15

    def __post_init__(self) -> None:
        robot = self.robot
        _within("position_low", self.position_low, robot.position_low, robot.position_high)
        _within("position_high", self.position_high, self.position_low, robot.position_high)
        _within("velocity", self.velocity, np.zeros(7), robot.velocity)
        _within("acceleration", self.acceleration, np.full(7, 0.1), robot.acceleration)
        _within("linear_speed", self.linear_speed, 0.0, robot.linear_speed)
        _within("angular_speed", self.angular_speed, 0.0, robot.angular_speed)
        _within("workspace_low", self.workspace_low, np.full(3, -1.2), np.full(3, 1.2))
        _within("workspace_high", self.workspace_high, self.workspace_low, np.full(3, 1.2))
        _within("table_height", self.table_height, -1.0, float(self.workspace_high[2]))
        _within("lead", self.lead, 0.0, 0.1)
        _within("lead_time", self.lead_time, 0.0, 0.5)

    def check_period(self, period: float) -> None:
        """Hold the jerk that control steps of `period` s can make against the robot's own.

        Raises:
            ValueError: the period is so short that the acceleration could turn round faster than the robot allows.
        """
        shortest = float((2.0 * self.acceleration / self.robot.jerk).max())
        if not period >= shortest:
            raise ValueError(
                f"a control step is {period} s; it must last {shortest:.5f} s or more, or the jerk could exceed that "
                f"of {self.robot.name}, {np.array2string(self.robot.jerk)} rad/s^3"
            )


def limits_of(robot: Robot, **changes: Any) -> Limits:
    """Our limits for a robot, with `changes` of them.

    Raises:
        ValueError: see `Limits`.
    """
    ours: dict[str, Any] = {
        "position_low": robot.position_low + MARGIN,
        "position_high": robot.position_high - MARGIN,
        "velocity": greatest_speeds(robot),
        "acceleration": ACCELERATION_SHARE * robot.acceleration,
    }
    return Limits(robot=robot, **ours | changes)


def greatest_speeds(robot: Robot, acceleration: Array | None = None) -> Array:
    """Ours for a robot's joints (7,) [rad/s]: below its own, and such that every joint can be stopped in time.

    Args:
        robot: whose joints.
        acceleration: with which they are stopped (7,) [rad/s^2]; ours for the robot by default.
    """
    stopping = (ACCELERATION_SHARE * robot.acceleration if acceleration is None else acceleration) * STOPPING_TIME
    return np.minimum(np.minimum(robot.velocity, JOINT_SPEED), stopping)


def _within(name: str, value: Array | float, low: Array | float, high: Array | float) -> None:
    given, least, most = np.asarray(value), np.asarray(low), np.asarray(high)
    shown = np.array2string(given, precision=4)
    if given.shape != least.shape:
        raise ValueError(f"limit {name} is {shown}; it must have shape {least.shape}")
    if not (np.all(np.isfinite(given)) and np.all(given >= least) and np.all(given <= most)):
        bounds = f"[{np.array2string(least, precision=4)}, {np.array2string(most, precision=4)}]"
        raise ValueError(f"limit {name} is {shown}; it must lie in {bounds}")
