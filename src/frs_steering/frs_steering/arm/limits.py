"""Limits that the gate holds: the FR3's own, and ours, which are lower.

Sources of the FR3's: "Limits for Franka Research 3" in the Franka Control Interface documentation and libfranka's
rate_limiting.h (velocity, acceleration, Cartesian velocity); joint positions as in franka_description's and MuJoCo's
fr3 model, which are the narrower ones of the two that Franka has published.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def _fixed(*values: float) -> Array:
    array = np.array(values)
    array.setflags(write=False)
    return array


FR3_POSITION_LOW = _fixed(-2.7437, -1.7837, -2.9007, -3.0421, -2.8065, 0.5445, -3.0159)
FR3_POSITION_HIGH = _fixed(2.7437, 1.7837, 2.9007, -0.1518, 2.8065, 4.5169, 3.0159)
FR3_VELOCITY = _fixed(2.62, 2.62, 2.62, 2.62, 5.26, 4.18, 5.26)
FR3_ACCELERATION = _fixed(*[10.0] * 7)
FR3_LINEAR_SPEED = 3.0
FR3_ANGULAR_SPEED = 2.5


@dataclasses.dataclass(frozen=True)
class Limits:
    """What no command may exceed. The defaults are ours; each says by how much it is below the FR3's.

    Attributes:
        position_low: smallest joint positions (7,) [rad], the FR3's less a margin of 0.05 rad.
        position_high: largest joint positions (7,) [rad], likewise.
        velocity: joint speeds (7,) [rad/s]. 2 rad/s at most, so that every joint can be brought to rest in four
            control steps with `acceleration`: the arm rests within 0.3 s of a lease's end.
        acceleration: change of joint velocity (7,) [rad/s^2], 80 % of the FR3's.
        linear_speed: of the TCP [m/s], mean over a control step.
        angular_speed: of the hand [rad/s], mean over a control step.
        workspace_low: smallest TCP coordinates (3,) [m] in the base frame.
        workspace_high: largest TCP coordinates (3,) [m] in the base frame.
        table_height: height of the table [m] in the base frame; neither wrist, hand nor fingers go below it.
        lead: how far the commanded joint positions may run ahead of the measured ones at rest [rad].
        lead_time: and how much further per joint speed [s]: the delay that is normal while moving.

    Raises:
        ValueError: a limit is not finite, empty, or above the FR3's own; the message names it.
    """

    position_low: Array = dataclasses.field(default_factory=lambda: FR3_POSITION_LOW + 0.05)
    position_high: Array = dataclasses.field(default_factory=lambda: FR3_POSITION_HIGH - 0.05)
    velocity: Array = dataclasses.field(default_factory=lambda: np.minimum(FR3_VELOCITY, 2.0))
    acceleration: Array = dataclasses.field(default_factory=lambda: 0.8 * FR3_ACCELERATION)
    linear_speed: float = 0.5
    angular_speed: float = 2.0
    workspace_low: Array = dataclasses.field(default_factory=lambda: _fixed(0.2, -0.5, 0.0))
    workspace_high: Array = dataclasses.field(default_factory=lambda: _fixed(0.8, 0.5, 0.8))
    table_height: float = 0.0
    lead: float = 0.02
    lead_time: float = 0.15

    def __post_init__(self) -> None:
        _within("position_low", self.position_low, FR3_POSITION_LOW, FR3_POSITION_HIGH)
        _within("position_high", self.position_high, self.position_low, FR3_POSITION_HIGH)
        _within("velocity", self.velocity, np.zeros(7), FR3_VELOCITY)
        _within("acceleration", self.acceleration, np.full(7, 0.1), FR3_ACCELERATION)
        _within("linear_speed", self.linear_speed, 0.0, FR3_LINEAR_SPEED)
        _within("angular_speed", self.angular_speed, 0.0, FR3_ANGULAR_SPEED)
        _within("workspace_low", self.workspace_low, np.full(3, -1.2), np.full(3, 1.2))
        _within("workspace_high", self.workspace_high, self.workspace_low, np.full(3, 1.2))
        _within("table_height", self.table_height, -1.0, float(self.workspace_high[2]))
        _within("lead", self.lead, 0.0, 0.1)
        _within("lead_time", self.lead_time, 0.0, 0.5)


def _within(name: str, value: Array | float, low: Array | float, high: Array | float) -> None:
    given, least, most = np.asarray(value), np.asarray(low), np.asarray(high)
    shown = np.array2string(given, precision=4)
    if given.shape != least.shape:
        raise ValueError(f"limit {name} is {shown}; it must have shape {least.shape}")
    if not (np.all(np.isfinite(given)) and np.all(given >= least) and np.all(given <= most)):
        bounds = f"[{np.array2string(least, precision=4)}, {np.array2string(most, precision=4)}]"
        raise ValueError(f"limit {name} is {shown}; it must lie in {bounds}")
