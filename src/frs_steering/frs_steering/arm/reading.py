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
        gripper: 0 open .. 1 closed, as measured last; 0 if it never was.
        knows_gripper: whether `gripper` was measured lately.
    """

    position: Array
    velocity: Array
    gripper: float
    knows_gripper: bool = True


class JointReader:
    """Puts readings together: the arm's joints from one message, the finger from the same or from another.

    Each keeps its own age: an arm that moves does not make an old finger new, nor the other way round.
    """

    def __init__(self, finger_timeout: float) -> None:
        """Begin; after `finger_timeout` [s] without a new one the gripper is not known."""
        self._timeout = finger_timeout
        self._finger: tuple[float, float] | None = None  # gripper value, and when it came [s]

    def put(
        self, names: Sequence[str], positions: Sequence[float], velocities: Sequence[float], now: float
    ) -> Reading | None:
        """Take a joint state, its joints in whatever order, received at `now` [s, monotonic].

        Returns:
            A reading, if the arm's joints were in it; None if only the finger was.

        Raises:
            ReadingError: a joint of the arm or its velocity is missing, or a value is not finite. Nothing of such a
                message is kept.
        """
        at = {name: i for i, name in enumerate(names)}
        finger = _finger(at, positions)
        arm = None if finger is not None and not at.keys() & set(JOINT_NAMES) else _arm(at, positions, velocities)
        if finger is not None:
            self._finger = finger, now
        if arm is None:
            return None
        value, came = self._finger or (0.0, -np.inf)
        return Reading(*arm, value, knows_gripper=now - came <= self._timeout)


def _finger(at: dict[str, int], positions: Sequence[float]) -> float | None:
    # The gripper's value, None where the message has no finger. Its velocity is not asked for.
    if FINGER_JOINT not in at:
        return None
    if len(at) != len(positions):
        raise ReadingError(f"joint state with {len(at)} names, {len(positions)} positions; there must be one per joint")
    position = float(positions[at[FINGER_JOINT]])
    if not np.isfinite(position):
        raise ReadingError(f"joint state with position {position} of {FINGER_JOINT}; it must be finite")
    return gripper_value(position)


def _arm(at: dict[str, int], positions: Sequence[float], velocities: Sequence[float]) -> tuple[Array, Array]:
    missing = [name for name in JOINT_NAMES if name not in at]
    if missing:
        raise ReadingError(f"joint state without {', '.join(missing)}; it has {', '.join(at) or 'no joints'}")
    if not len(at) == len(positions) == len(velocities):
        counts = f"{len(at)} names, {len(positions)} positions, {len(velocities)} velocities"
        raise ReadingError(f"joint state with {counts}; there must be one of each per joint")
    order = [at[name] for name in JOINT_NAMES]
    values = np.array([[positions[i] for i in order], [velocities[i] for i in order]], dtype=np.float64)
    bad = np.argwhere(~np.isfinite(values))
    if bad.size:
        kind, joint = bad[0]
        what = ("position", "velocity")[kind]
        raise ReadingError(f"joint state with {what} {values[kind, joint]} of {JOINT_NAMES[joint]}; it must be finite")
    return values[0], values[1]
