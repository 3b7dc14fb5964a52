"""A chunk of actions as the arm sees it, and what one of its rows asks of the joints."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from frs_steering.robot.kinematics import joint_velocity
from frs_steering.robot.spaces import ActionSpace

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Chunk:
    """Rows that may drive the arm until the lease ends. Unchecked: `gate.admit` judges it.

    Attributes:
        chunk_id: strictly increasing within an owner epoch, from 1.
        epoch: of the owner, as granted by a claim.
        space: what the columns mean, a number of ActionSpace.
        frame: frame of Cartesian rows.
        horizon: rows H that the sender meant.
        dim: columns D that the sender meant.
        values: the rows one after the other (H * D,), SI units.
        row_duration: [s].
        first_tick: control step on which row 0 is due.
        lease: how long the chunk may drive, from its receipt [s].
    """

    chunk_id: int
    epoch: int
    space: int
    frame: str
    horizon: int
    dim: int
    values: Array
    row_duration: float
    first_tick: int
    lease: float

    @property
    def rows(self) -> Array:
        """The rows (H, D); only an admitted chunk surely has them."""
        return self.values.reshape(self.horizon, self.dim)


def requested_velocity(space: ActionSpace, row: Array, measured: Array, reference: Array, period: float) -> Array:
    """Joint velocities (7,) [rad/s] that a row asks for, before any limit.

    Args:
        space: of the row; not UNKNOWN.
        row: (D,), last column the gripper.
        measured: joint positions (7,) [rad]; Cartesian rows are resolved there.
        reference: commanded joint positions (7,) [rad]; joint positions are approached from there, so that the
            arm's delay does not make it overshoot.
        period: of a control step [s]; a joint position is to be reached within one.
    """
    if space is ActionSpace.CARTESIAN_VELOCITY:
        return joint_velocity(measured, row[:6])
    if space is ActionSpace.JOINT_POSITION:
        return (row[:7] - reference) / period
    return row[:7].copy()


def requested_gripper(row: Array) -> float:
    """Open (0) or closed (1), whichever a row is nearer to.

    So DROID's robots are driven (openpi, examples/droid): a policy's value in between is its doubt about when to close,
    not a width, and fingers half closed are a state that nobody demonstrated. A value outside of 0 .. 1 is returned as
    it is: the gate limits it, and says so.
    """
    value = float(row[-1])
    return float(value > 0.5) if 0.0 <= value <= 1.0 else value
