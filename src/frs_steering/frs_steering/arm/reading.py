"""Joint states as they come in, turned into a checked reading by joint name."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from frs_steering.robot.fr3 import FINGER_JOINT, JOINT_NAMES, gripper_value

Array = NDArray[np.float64]


class ReadingError(ValueError):
    """A joint state can't be used; the message names the joint and the value."""


@dataclasses.dataclass(frozen=True)
class Reading:
    """What the arm measured.

    Attributes:
        position: (7,) [rad].
        velocity: (7,) [rad/s].
        gripper: 0 open .. 1 closed.
    """

    position: Array
    velocity: Array
    gripper: float


def read_joints(names: Sequence[str], positions: Sequence[float], velocities: Sequence[float]) -> Reading:
    """Pick the arm's joints out of a joint state, in whatever order they stand.

    Raises:
        ReadingError: a joint or its velocity is missing, or a value is not finite.
    """
    at = {name: i for i, name in enumerate(names)}
    wanted = (*JOINT_NAMES, FINGER_JOINT)
    missing = [name for name in wanted if name not in at]
    if missing:
        raise ReadingError(f"joint state without {', '.join(missing)}; it has {', '.join(names) or 'no joints'}")
    if not len(names) == len(positions) == len(velocities):
        counts = f"{len(names)} names, {len(positions)} positions, {len(velocities)} velocities"
        raise ReadingError(f"joint state with {counts}; there must be one of each per joint")
    order = [at[name] for name in wanted]
    values = np.array([[positions[i] for i in order], [velocities[i] for i in order]], dtype=np.float64)
    bad = np.argwhere(~np.isfinite(values))
    if bad.size:
        kind, joint = bad[0]
        what = ("position", "velocity")[kind]
        raise ReadingError(f"joint state with {what} {values[kind, joint]} of {wanted[joint]}; it must be finite")
    return Reading(values[0, :7], values[1, :7], gripper_value(float(values[0, 7])))
