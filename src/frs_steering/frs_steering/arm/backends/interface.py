"""The one thing that a backend must do."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Command:
    """One control step's command; it has passed the gate.

    Attributes:
        velocity: joint velocities for this step (7,) [rad/s].
        position: joint positions to be reached at its end (7,) [rad].
        gripper: 0 open .. 1 closed; None while the gripper is to stay as it is.
    """

    velocity: Array
    position: Array
    gripper: float | None


class Backend(Protocol):
    """Takes the arm's commands, one each control step, also while it holds."""

    def send(self, command: Command) -> None:
        """Hand a command on; must not wait for the robot."""
