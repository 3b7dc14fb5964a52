"""How fast a joint may move towards the end of its range, so that the whole stop that follows is allowed.

Two things bound it: the stop must end before our limit of the joint's position, and on its way every speed must be
one that the robot allows at that distance from the end of the range (`robots.Approach`). Both also where the stop
begins late (`envelope.stop_delay`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frs_steering.arm.limits import Limits
from frs_steering.arm.robots import Approach

Array = NDArray[np.float64]


def greatest_approach(velocity: Array, starts: Array, along: list[float], late: float, limits: Limits) -> Array:
    """Greatest speeds (7,) [rad/s] of the joints in the direction in which each moves.

    Args:
        velocity: joint velocities (7,) [rad/s] whose directions count.
        starts: joint positions (S, 7) [rad] to start from; the one nearest to the end counts.
        along: how far the joints go, as multiples of the velocity, as of `envelope.reaches`.
        late: how much longer they may go on at full speed before the stop begins [s].
        limits: to be held.
    """
    up = velocity > 0
    front = np.where(up, starts.max(axis=0), -starts.min(axis=0))
    room = np.maximum(0.0, np.where(up, limits.position_high, -limits.position_low) - front)
    farthest = along[-1] + late
    greatest = room / farthest
    curve = limits.robot.approach
    if curve is None:
        return greatest
    distance = np.where(up, curve.high, -curve.low) - front
    speed = np.abs(velocity)
    left = np.maximum(0.0, distance - speed * farthest)
    if (speed <= np.sqrt(curve.gain * left) - curve.offset).all():
        return greatest  # allowed at the stop's end, where the least is: allowed on its whole way
    return np.minimum(greatest, _by_curve(distance, along, late, curve))


def _by_curve(distance: Array, along: list[float], late: float, curve: Approach) -> Array:
    # In step k of the stop the speed is w v, w falling from 1 to 0, and v r is gone when it ends. It must be that
    # w v + offset <= sqrt(gain (distance - r v)); squared, this is quadratic in v, with one positive root.
    reach = np.array(along[1:])[:, None] + late
    share = np.diff(along)[:, None] / (along[1] - along[0])
    spare = np.maximum(0.0, curve.gain * distance - curve.offset**2)
    half = share * curve.offset + 0.5 * curve.gain * reach
    return (spare / (half + np.sqrt(half**2 + share**2 * spare))).min(axis=0)
