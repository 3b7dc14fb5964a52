"""The way to the reset pose: slow, straight in joint space, step by step through the gate like any other motion."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from frs_steering.arm.gate import Step
from frs_steering.arm.limits import Limits
from frs_steering.robot.fr3 import RESET_POSITION

Array = NDArray[np.float64]

OWNER = "home"
"""Name under which the arm is owned on its way home."""
LEASE = 0.3
"""How long each control step on the way keeps others out [s]."""
SPEED = 0.3
"""Of the fastest joint at a scale of 1 [rad/s]."""
LEAST_SCALE = 0.05
"""Below it the way would take minutes, and standing could not be told from moving."""
ACCELERATION_SHARE = 0.5
"""Of the gate's smallest acceleration limit, so that the gate has nothing to change where nothing is in the way."""
NEAR = 0.02
"""The arm is home when every joint measures this close to the reset pose, at rest [rad]."""
SETTLING = 1.0
"""Once the target has arrived, what the arm has not followed of the way is made good with this time constant [s]: a few
times what an arm may lag behind, or it would swing."""
ARRIVED = 1e-6
"""So close the target has come to the reset pose, but for rounding [rad]."""
PROGRESS, PATIENCE = 0.002, 2.0
"""Unless the distance falls by PROGRESS [rad] within PATIENCE [s], something is in the way."""


@dataclasses.dataclass(frozen=True)
class Homing:
    """A motion to the reset pose, under way or ended.

    Attributes:
        speed: of the fastest joint [rad/s].
        distance: that is left, the largest joint's, as measured [rad].
        least: smallest distance so far [rad], to within PROGRESS.
        since: when that was reached, on the monotonic clock [s].
        arrived: the target has been at the reset pose; the arm may lag, or have fallen short.
        is_over: it has ended.
        success: it has ended at home.
        message: how it ended, in words; empty while under way.
    """

    speed: float
    distance: float
    least: float
    since: float
    arrived: bool = False
    is_over: bool = False
    success: bool = False
    message: str = ""

    def ended(self, message: str, *, success: bool = False) -> Homing:
        """As it is once it has ended."""
        return dataclasses.replace(self, is_over=True, success=success, message=message)


def speed_of(scale: float) -> float:
    """Speed of the fastest joint [rad/s] for a scale within LEAST_SCALE .. 1; 0 stands for 1.

    Raises:
        ValueError: the scale is another number, or none.
    """
    if scale == 0.0:
        return SPEED
    if not LEAST_SCALE <= scale <= 1.0:
        raise ValueError(f"speed_scale is {scale}; it must lie in [{LEAST_SCALE}, 1], and 0 stands for 1")
    return SPEED * scale


def begin(measured: Array, speed: float, now: float) -> Homing:
    """Set out from the measured joint positions (7,) [rad]."""
    left = distance(measured)
    return Homing(speed, left, left, now)


def distance(position: Array) -> float:
    """Of the joint that is farthest from the reset pose [rad]; `position` (7,) [rad]."""
    return float(np.abs(RESET_POSITION - position).max())


def next_velocity(homing: Homing, reference: Array, measured: Array, limits: Limits, period: float) -> Array:
    """Joint velocities (7,) [rad/s] for the next control step: straight on, in time to stop at the reset pose.

    Once the target has arrived, they lead the arm itself there until it is near. The target alone would not: it is held
    back near an arm that does not follow (`target.held_back`), and the two would come to rest that far away.

    A stop from v at deceleration a, one step after the other, takes v^2 / 2a + v period / 2; the greatest v for which
    that is not more than what is left solves a quadratic. The last step slows down by up to an eighth more than a.

    Args:
        homing: as after the last step.
        reference: commanded joint positions (7,) [rad].
        measured: joint positions (7,) [rad].
        limits: of the gate.
        period: of a control step [s].
    """
    if homing.arrived:
        left = distance(measured)
        share = min(1.0 / SETTLING, homing.speed / left) if left > NEAR else 0.0
        return (RESET_POSITION - measured) * share
    way, left = RESET_POSITION - reference, distance(reference)
    if left == 0.0:
        return np.zeros(7)
    slowing = ACCELERATION_SHARE * float(limits.acceleration.min())
    stoppable = slowing * (math.sqrt(period**2 / 4 + 2 * left / slowing) - period / 2)
    return way / left * min(homing.speed, stoppable, left / period)


def watched(homing: Homing, reference: Array, measured: Array, step: Step, now: float) -> Homing:
    """After a control step: whether the arm has come home, comes nearer, or is stuck.

    Args:
        homing: as before the step.
        reference: joint positions commanded with it (7,) [rad].
        measured: joint positions (7,) [rad].
        step: what the gate made of it.
        now: on the monotonic clock [s].
    """
    left = distance(measured)
    after = dataclasses.replace(homing, distance=left, arrived=homing.arrived or distance(reference) <= ARRIVED)
    if left <= NEAR and not step.velocity.any():
        return after.ended(f"at the reset pose, the farthest joint {left:.3f} rad from it", success=True)
    if left < homing.least - PROGRESS:
        return dataclasses.replace(after, least=left, since=now)
    if now - homing.since > PATIENCE:
        why = step.detail or "the arm does not follow; is it blocked, or in an error of its own?"
        return after.ended(f"{left:.3f} rad from the reset pose it comes no nearer: {why}")
    return after
