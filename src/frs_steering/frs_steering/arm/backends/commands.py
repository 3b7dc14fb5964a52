"""The robot's side of the command topics: what a command must look like to be followed, by whichever driver."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from frs_steering.robot.fr3 import FINGER_JOINT, JOINT_NAMES, gripper_value

ROUNDING = 1e-9


class CommandError(ValueError):
    """A command that the driver does not follow; the message names what is wrong and what would be right."""


def arm_velocity(
    names: Sequence[str],
    positions: Sequence[float],
    velocities: Sequence[float],
    fastest: np.ndarray | float = np.inf,
) -> np.ndarray:
    """Joint velocity (7,) rad/s in the robot's order, from one trajectory point in any order.

    The drive follows the velocities; the positions, which may be empty, must make sense all the same.

    Args:
        names: of the joints.
        positions: [rad], as many, or none.
        velocities: [rad/s], as many.
        fastest: (7,) rad/s in the robot's order; what is faster has not come through the gate.

    Raises:
        CommandError: names that are not the arm's seven joints, another number of values, one that is not finite, or
            one that is too fast.
    """
    if sorted(names) != sorted(JOINT_NAMES):
        raise CommandError(f"joint_names are {list(names)}; they must be {', '.join(JOINT_NAMES)}")
    if len(positions):
        _finite("positions", positions, len(names))
    given = _finite("velocities", velocities, len(names))
    velocity = given[[list(names).index(joint) for joint in JOINT_NAMES]]
    over = np.abs(velocity) - fastest
    if over.max() > ROUNDING:
        joint = int(over.argmax())
        most = float(np.broadcast_to(fastest, velocity.shape)[joint])
        raise CommandError(f"{JOINT_NAMES[joint]} at {velocity[joint]:.3f} rad/s; the gate lets {most:.3f} rad/s pass")
    return velocity


def gripper_closing(names: Sequence[str], positions: Sequence[float]) -> float:
    """Gripper value, 0 open .. 1 closed, from one trajectory point of the finger joint [m].

    Raises:
        CommandError: another joint, another number of values, or one that is not finite.
    """
    if list(names) != [FINGER_JOINT]:
        raise CommandError(f"joint_names are {list(names)}; they must be [{FINGER_JOINT!r}]")
    return gripper_value(float(_finite("positions", positions, 1)[0]))


def _finite(field: str, values: Sequence[float], count: int) -> np.ndarray:
    if len(values) != count:
        raise CommandError(f"{field} has {len(values)} values; it must have {count}")
    array = np.asarray(values, float)
    if not np.isfinite(array).all():
        raise CommandError(f"{field} {array.tolist()} has values that are not finite")
    return array
