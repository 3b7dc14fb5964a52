"""What the robots themselves allow: the limits that Franka has published for the FR3 and for the Panda (FER).

Sources: "Limits for Franka Research 3" and "Limits for Franka Emika Robot" in the Franka Control Interface
documentation (Robot and interface specifications), and libfranka's rate_limiting.h, of version 0.10 or later for the
FR3 and of version 0.9 for the Panda. The FR3's joint positions are those of franka_description and MuJoCo's fr3
model, which are the narrower ones of the two that Franka has published.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def fixed(*values: float) -> Array:
    """An array that nobody can change."""
    array = np.array(values)
    array.setflags(write=False)
    return array


@dataclasses.dataclass(frozen=True)
class Approach:
    """How fast a joint may be near the end of its range: sqrt(gain * distance to the end) - offset.

    The FR3 checks this a thousand times a second and stops with a reflex where it is exceeded.

    Attributes:
        gain: (7,) [rad/s^2], twice the deceleration that Franka reckons with.
        offset: (7,) [rad/s].
        low: (7,) [rad], the lower ends that the distance counts from; a little beyond the joint positions allowed.
        high: (7,) [rad], likewise.
    """

    gain: Array
    offset: Array
    low: Array
    high: Array


@dataclasses.dataclass(frozen=True)
class Robot:
    """What a robot allows; its own controller stops it beyond that.

    Attributes:
        name: as in the parameter `robot`.
        position_low: smallest joint positions (7,) [rad].
        position_high: largest joint positions (7,) [rad].
        velocity: joint speeds (7,) [rad/s].
        acceleration: of the joints (7,) [rad/s^2].
        jerk: of the joints (7,) [rad/s^3].
        linear_speed: of the hand [m/s].
        angular_speed: of the hand [rad/s].
        approach: speeds near the ends of the joints' ranges; None where the robot has no such limit.
    """

    name: str
    position_low: Array
    position_high: Array
    velocity: Array
    acceleration: Array
    jerk: Array
    linear_speed: float
    angular_speed: float
    approach: Approach | None


FR3 = Robot(
    name="fr3",
    position_low=fixed(-2.7437, -1.7837, -2.9007, -3.0421, -2.8065, 0.5445, -3.0159),
    position_high=fixed(2.7437, 1.7837, 2.9007, -0.1518, 2.8065, 4.5169, 3.0159),
    velocity=fixed(2.62, 2.62, 2.62, 2.62, 5.26, 4.18, 5.26),
    acceleration=fixed(*[10.0] * 7),
    jerk=fixed(*[5000.0] * 7),
    linear_speed=3.0,
    angular_speed=2.5,
    # computeUpperLimitsJointVelocity and computeLowerLimitsJointVelocity in rate_limiting.h. Newer descriptions carry
    # other curves (position_based_velocity_limits): so that ours is below both up to 2 rad/s, joint 3 has the newer
    # one, and the offset of joint 4 is 0.01 rad/s larger.
    approach=Approach(
        gain=fixed(12.0, 5.17, 7.0, 8.0, 34.0, 11.0, 34.0),
        offset=fixed(0.30, 0.20, 0.2005, 0.31, 0.35, 0.35, 0.35),
        low=fixed(-2.7501, -1.7918, -2.9007, -3.0481, -2.8101, 0.54092, -3.0196),
        high=fixed(2.7501, 1.7918, 2.9007, -0.1458, 2.8101, 4.5205, 3.0196),
    ),
)
"""Franka Research 3."""

PANDA = Robot(
    name="panda",
    position_low=fixed(-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973),
    position_high=fixed(2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973),
    velocity=fixed(2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61),
    acceleration=fixed(15.0, 7.5, 10.0, 12.5, 15.0, 20.0, 20.0),
    jerk=fixed(7500.0, 3750.0, 5000.0, 6250.0, 7500.0, 10000.0, 10000.0),
    linear_speed=1.7,
    angular_speed=2.5,
    approach=None,
)
"""Franka Emika Robot (FER), known as Panda. Its geometry is the FR3's: the Denavit-Hartenberg parameters in the Franka
Control Interface documentation and the joint origins in franka_description (`fr3`, `fer`) are the same numbers."""

ROBOTS = {robot.name: robot for robot in (FR3, PANDA)}
