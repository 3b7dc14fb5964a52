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
FINGERTIPS = {"franka_hand": 0.009, "robotiq": 0.075}
"""How far each gripper reaches beyond the TCP of the Franka hand, 0.1034 m from the flange's hand frame [m]. A 2F-85 is
163 mm long when it is closed (its manual, section 6.1), and its coupling to the flange 14 mm."""
STOPPING_TIME = 3 / 15
"""s in which every joint can be brought to rest from its greatest speed: within three control steps of 15 Hz, so that
the arm rests within 0.3 s of a lease's end, and with a lease of 0.3 s within 0.5 s of its owner's death."""


@dataclasses.dataclass(frozen=True)
class Limits:
    """What no command may exceed. The defaults are ours for the FR3, see `limits_of` for another robot.

    Jerk has no limit of its own here: the acceleration can turn round within one control step at most, and
    `check_period` holds the jerk that this makes, spread over the step, against the robot's. Within a step it is the
    backend's.

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
        fingertips: how far the fingers reach beyond the TCP, along the hand [m]: see FINGERTIPS.
        lead: how far the commanded joint positions may run ahead of the measured ones at rest [rad].
        lead_time: and how much further per joint speed [s]: the delay that is normal while moving.

    Raises:
        ValueError: a limit is not finite, empty, or above the robot's own; the message names it.
    """

    robot: Robot = FR3
    position_low: Array = dataclasses.field(default_factory=lambda: FR3.position_low + MARGIN)
    position_high: Array = dataclasses.field(default_factory=lambda: FR3.position_high - MARGIN)
    velocity: Array = dataclasses.field(default_factory=lambda: greatest_speeds(FR3))
    acceleration: Array = dataclasses.field(default_factory=lambda: greatest_accelerations(FR3))
    linear_speed: float = 0.5
    angular_speed: float = 2.0
    workspace_low: Array = dataclasses.field(default_factory=lambda: fixed(0.2, -0.5, 0.0))
    workspace_high: Array = dataclasses.field(default_factory=lambda: fixed(0.8, 0.5, 0.8))
    table_height: float = 0.0
    fingertips: float = FINGERTIPS["franka_hand"]
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
        _within("fingertips", self.fingertips, FINGERTIPS["franka_hand"], 0.3)
        _within("lead", self.lead, 0.0, 0.1)
        _within("lead_time", self.lead_time, 0.0, 0.5)

    def in_words(self) -> str:
        """What a person has set of them, in one line, for a comparison with what was meant."""
        return (
            f"{self.robot.name}, joints up to {self.velocity.max():g} rad/s and {self.acceleration.max():g} rad/s^2, "
            f"TCP up to {self.linear_speed:g} m/s and {self.angular_speed:g} rad/s, "
            f"from {self.workspace_low.tolist()} to {self.workspace_high.tolist()} m, table at {self.table_height:g} m"
        )

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
        "acceleration": greatest_accelerations(robot),
    }
    return Limits(robot=robot, **ours | changes)


def greatest_accelerations(robot: Robot, most: float = np.inf) -> Array:
    """Ours for a robot's joints (7,) [rad/s^2]: ACCELERATION_SHARE of its own, and no more than `most`."""
    return np.minimum(ACCELERATION_SHARE * robot.acceleration, most)


def greatest_speeds(robot: Robot, acceleration: Array | None = None) -> Array:
    """Ours for a robot's joints (7,) [rad/s]: below its own, and such that every joint can be stopped in time.

    Args:
        robot: whose joints.
        acceleration: with which they are stopped (7,) [rad/s^2]; ours for the robot by default.
    """
    stopping = (greatest_accelerations(robot) if acceleration is None else acceleration) * STOPPING_TIME
    return np.minimum(np.minimum(robot.velocity, JOINT_SPEED), stopping)


def _within(name: str, value: Array | float, low: Array | float, high: Array | float) -> None:
    given, least, most = np.asarray(value), np.asarray(low), np.asarray(high)
    shown = np.array2string(given, precision=4)
    if given.shape != least.shape:
        raise ValueError(f"limit {name} is {shown}; it must have shape {least.shape}")
    if not (np.all(np.isfinite(given)) and np.all(given >= least) and np.all(given <= most)):
        bounds = f"[{np.array2string(least, precision=4)}, {np.array2string(most, precision=4)}]"
        raise ValueError(f"limit {name} is {shown}; it must lie in {bounds}")
