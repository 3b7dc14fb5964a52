"""The arm's target, the joint positions that go with its velocity: where it may be other than where velocities led it.

The gate judges velocities. What moves the target besides is here, so that no joint state can make it leap.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frs_steering.arm.belief import Belief
from frs_steering.arm.limits import Limits
from frs_steering.arm.settings import Settings
from frs_steering.robot.fr3 import JOINT_NAMES

Array = NDArray[np.float64]


def held_back(target: Array, belief: Belief, velocity: Array, limits: Limits) -> Array:
    """The target (7,) [rad], no farther from the arm than it may be: one that is blocked, lags or is moved by hand.

    Args:
        target: as the velocities led it (7,) [rad].
        belief: in where the arm is; it has a reading.
        velocity: commanded on the last step (7,) [rad/s].
        limits: how far it may lead.
    """
    return _near(target, belief, limits.lead + limits.lead_time * np.abs(velocity))


def along(target: Array, belief: Belief) -> Array:
    """The target (7,) [rad] of an arm that is told nothing: where it is, so that the first command does not draw it."""
    return _near(target, belief, np.zeros(7))


def set_out(target: Array, measured: Array, settings: Settings) -> Array:
    """The target (7,) [rad] of an arm at rest that sets out from where it is measured: there, or nearer to it.

    What the target was ahead by would stay for good, and the gate, which looks at both, would keep the hand from the
    table by as much. But a robot feels it: a step of x within the time T is an acceleration of 4 x / T^2, so a robot's
    is at most half of what the gate allows.
    """
    most = np.inf if settings.simulated else settings.limits.acceleration * settings.period**2 / 8
    return target + np.clip(measured - target, -most, most)


def elsewhere(target: Array, measured: Array) -> str:
    """In words, how far the arm (7,) [rad] is said to be from its target."""
    away = np.abs(measured - target)
    joint = int(away.argmax())
    return f"{JOINT_NAMES[joint]} is said to be {away[joint]:.3f} rad from where it was told to be"


def _near(target: Array, belief: Belief, lead: Array) -> Array:
    # Within `lead` of the nearer of the last two readings: a wrong one, near enough to be believed, must come twice.
    assert belief.reading is not None and belief.before is not None, "only asked for with a reading"
    last = np.array([belief.reading.position, belief.before])
    return np.clip(target, last.min(axis=0) - lead, last.max(axis=0) + lead)
