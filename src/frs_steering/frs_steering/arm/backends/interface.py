"""What a backend of the arm and one of the gripper must do."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WATCHDOG = 0.15
"""s after the last command from which on a backend brings the arm to rest by itself; commands come 15 times a second,
so two may be lost."""


@dataclasses.dataclass(frozen=True)
class Command:
    """One control step's command; it has passed the gate.

    Attributes:
        velocity: joint velocities for this step (7,) [rad/s].
        position: joint positions to be reached at its end (7,) [rad].
    """

    velocity: Array
    position: Array


class ArmBackend(Protocol):
    """Takes the arm's commands, one each control step, also while it holds."""

    def send(self, command: Command) -> None:
        """Hand a command on; must not wait for the robot."""


class GripperBackend(Protocol):
    """Takes what the gripper is to do, now and then."""

    def send(self, closing: float) -> None:
        """Ask for a gripper value, 0 open .. 1 closed, which the gate has passed; must not wait for the gripper."""

    @property
    def trouble(self) -> str:
        """Why the gripper does not follow, in words; empty while it does, or where nobody can know."""

    def close(self) -> None:
        """End what was begun for it; the fingers keep what they hold."""
