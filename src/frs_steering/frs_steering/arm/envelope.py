"""Where the arm would go if it were stopped after the next control step.

The gate admits a joint velocity only if the whole stop that follows it stays within the limits. The stop takes every
joint down by the same share of its velocity each step, as fast as the acceleration limits allow, so it follows a
straight line in joint space. One step later the rest of that line is still there to be followed: an arm that obeys
can always be stopped within its limits. They hold also where the stop begins late (`stop_delay`), because this process
died and the backend's watchdog had to notice, or because a command came late in an overloaded graph.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from frs_steering.arm import self_collision
from frs_steering.arm.backends.interface import WATCHDOG
from frs_steering.arm.limits import FINGERTIPS, Limits
from frs_steering.robot.kinematics import wrist_and_tcp_poses

Array = NDArray[np.float64]

NOTICED = 0.017
"""s until a backend's watchdog has noticed that it should have bitten: the simulated one looks every 0.01 s, and a
command is on its way for some milliseconds."""
CUSHION = 0.0005
"""How far inside the workspace a corrected motion aims [m]; takes up the curvature of a step."""
SLACK = 0.0001
"""An arm that stands outside of the workspace may move along its border, this deep per step [m], to get back in."""
ROUNDING = 1e-9
SPEED = 0.999
"""Share of the Cartesian speed limits that is used: the arm is not quite where it is commanded or measured to be, and
the same joint velocities make other speeds there."""


# What must stay above the table: bounding boxes of the collision meshes of the fr3 model, fingers open, less their
# rounding. One row per box: the frame, as in `wrist_and_tcp_poses`, the smallest and the largest corner there [m].
_BOXES = (
    (0, (-0.055, -0.054, -0.259), (0.056, 0.133, 0.052)),  # fr3_link5
    (1, (-0.049, -0.052, -0.046), (0.133, 0.082, 0.056)),  # fr3_link6
    (2, (-0.044, -0.045, 0.050), (0.081, 0.082, 0.105)),  # fr3_link7
    (3, (-0.032, -0.104, -0.130), (0.032, 0.101, -0.037)),  # the hand
    (3, (-0.011, -0.067, -0.045), (0.011, 0.067, 0.009)),  # the fingers
)
_FRAMES = np.array([frame for frame, _, _ in _BOXES])
_CENTRES = np.array([np.append(np.add(low, high) / 2, 1.0) for _, low, high in _BOXES])
_HALVES = np.array([np.append(np.subtract(high, low) / 2, 0.0) for _, low, high in _BOXES])


@dataclasses.dataclass(frozen=True)
class Breach:
    """What a joint velocity would do wrong.

    Attributes:
        linear: greatest TCP speed [m/s].
        angular: greatest angular speed of the hand [rad/s].
        excess: (3,) [m], how far the hand would go beyond the workspace, into the table or too near to the arm itself,
            signed; zero if it doesn't.
        reach: the excess arises after the joints have gone `reach` times the velocity [s].
        where: the excess in words, with value and limit; empty if there is none.
        itself: the excess is into the arm itself.
    """

    linear: float
    angular: float
    excess: Array
    reach: float
    where: str
    itself: bool = False


def stop_share(velocity: Array, limits: Limits, period: float) -> float:
    """Share of a joint velocity (7,) that one step of the fastest straight stop takes away, 0 .. 1."""
    steps = float((np.abs(velocity) / limits.acceleration).max()) / period
    return 1.0 if steps <= 1.0 else 1.0 / steps


def reaches(velocity: Array, limits: Limits, period: float) -> list[float]:
    """How far the joints go, as multiples of `velocity` [s]: at the start, after this step, and as the stop goes on."""
    share = stop_share(velocity, limits, period)
    steps = math.ceil(1.0 / share - ROUNDING)
    return [period * (k - share * k * (k - 1) / 2) for k in range(steps + 1)]


def stop_delay(period: float) -> float:
    """How late a stop may begin [s]: a watchdog waits from the last command on, which is good for a control step."""
    return max(0.0, WATCHDOG - period) + NOTICED


def breach(velocity: Array, starts: Array, limits: Limits, period: float) -> Breach | None:
    """Judge a joint velocity by the Cartesian limits along its stop.

    Args:
        velocity: (7,) [rad/s].
        starts: joint positions (S, 7) [rad] to start from: where the arm is commanded, and where it is.
        limits: to be held.
        period: of a control step [s].

    Returns:
        None if all is within the limits.
    """
    along = reaches(velocity, limits, period)
    # And where a stop ends that begins late: ours, and the backend's own, in which each joint brakes for itself.
    late = stop_delay(period)
    braking = 0.5 * np.abs(velocity) / limits.acceleration
    along += [along[-1] + late, period + late + float(braking.max())]
    ways = velocity * np.array(along)[:, None]
    ways[-1] = velocity * (period + late + braking)
    positions = starts[:, None, :] + ways
    poses = wrist_and_tcp_poses(positions)
    moves = poses[3, :, 1:-1, :3] - poses[3, :, :-2, :3]
    squares = (moves * moves).sum(axis=-2)  # of the columns: three of the rotation, one of the position
    lasting = np.full(squares.shape[1], period)
    lasting[-1] = late  # farther on, where the arm may be faster
    linear = float((np.sqrt(squares[..., 3]) / lasting).max())
    # |R - R'| (Frobenius) is 2 sqrt(2) sin(angle / 2).
    sines = np.sqrt(squares[..., :3].sum(axis=-1) / 8.0)
    angular = float((2.0 * np.arcsin(np.minimum(1.0, sines)) / lasting).max())
    beyond = _out_of_workspace(poses[3, ..., :3, 3], limits), _into_table(poses[..., 2, :], limits)
    found = [each for each in beyond if each is not None]
    if found:
        excess, step, where = max(found, key=lambda each: float(np.abs(each[0]).max()))
        return Breach(linear, angular, excess, along[step], where)
    if linear <= SPEED * limits.linear_speed and angular <= SPEED * limits.angular_speed:
        # The dearest check comes last, so that velocities which are corrected anyway do not pay for it.
        met = _into_itself(positions, poses)
        return None if met is None else Breach(linear, angular, met[0], along[met[1]], met[2], itself=True)
    return Breach(linear, angular, np.zeros(3), period, "")


def _out_of_workspace(points: Array, limits: Limits) -> tuple[Array, int, str] | None:
    # points: (S, K, 3) of the TCP along the stop from each start. The worst excess, its step, and it in words.
    low, high = limits.workspace_low, limits.workspace_high
    if ((points >= low) & (points <= high)).all():
        return None
    start = points[:, :1]
    if (
        (points >= np.where(start < low, start - SLACK, low)) & (points <= np.where(start > high, start + SLACK, high))
    ).all():
        return None
    aim_low = np.where(start < low, start, low + CUSHION)
    aim_high = np.where(start > high, start, high - CUSHION)
    beyond = points - np.clip(points, aim_low, aim_high)
    beyond[:, 0] = 0.0  # where the arm stands is not the velocity's fault
    which, step = np.unravel_index(int(np.abs(beyond).max(axis=2).argmax()), beyond.shape[:2])
    excess, point = beyond[which, step], points[which, step]
    axis = int(np.abs(excess).argmax())
    limit = high[axis] if excess[axis] > 0 else low[axis]
    return excess, int(step), f"TCP would get to {'xyz'[axis]} {point[axis]:.3f} m, limit {limit:.3f} m"


def _into_table(rows: Array, limits: Limits) -> tuple[Array, int, str] | None:
    # rows: (4, S, K, 4), the third rows of the poses, which give heights. The result is as of _out_of_workspace.
    rows = rows[_FRAMES]
    centres = (rows * _CENTRES[:, None, None]).sum(axis=-1)
    lowest = centres - (np.abs(rows) * _HALVES[:, None, None]).sum(axis=-1)  # corners
    longer = limits.fingertips - FINGERTIPS["franka_hand"]
    if longer:  # the fingers' box, drawn out along the hand
        lowest[-1] += longer * np.minimum(rows[-1, ..., 2], 0.0)
    heights = lowest.min(axis=0)
    table = limits.table_height
    if (heights >= table).all():
        return None
    start = heights[:, :1]
    if (heights >= np.where(start < table, start - SLACK, table)).all():
        return None
    below = np.minimum(0.0, heights - np.where(start < table, start, table + CUSHION))
    below[:, 0] = 0.0
    which, step = np.unravel_index(int(below.argmin()), below.shape)
    words = f"hand or wrist would get to z {heights[which, step]:.3f} m, table at {table:.3f} m"
    return np.array([0.0, 0.0, below[which, step]]), int(step), words


def _into_itself(positions: Array, poses: Array) -> tuple[Array, int, str] | None:
    # positions: (S, K, 7), with their poses. The result is as of _out_of_workspace.
    near = self_collision.closeness(positions, poses)
    if near.is_clear():
        return None
    distances, clearance = near.distances(), self_collision.CLEARANCE
    start = distances[:, :1]
    if (distances >= np.where(start < clearance, start - SLACK, clearance)).all():
        return None
    short = np.minimum(0.0, distances - np.where(start < clearance, start, clearance + CUSHION))
    short[:, 0] = 0.0
    which, step = map(int, np.unravel_index(int(short.argmin()), short.shape))
    away, moving, standing = near.nearest(which, step)
    words = f"{moving} would come within {distances[which, step]:.3f} m of the {standing}, limit {clearance:.3f} m"
    return away * short[which, step], step, words
