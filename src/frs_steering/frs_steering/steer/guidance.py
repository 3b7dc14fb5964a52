"""One coarse wish for the next chunk, checked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum


class GuidanceError(ValueError):
    """A wish that makes no sense; the message names the field, its value and what would be right."""


class GuidanceSource(IntEnum):
    """Who wishes; numbers as in frs_msgs/Guidance."""

    UNKNOWN = 0
    HUMAN = 1
    VLM = 2
    SCRIPTED = 3


class GripperWish(IntEnum):
    """What the gripper should do; numbers as in frs_msgs/Guidance."""

    KEEP = 0
    OPEN = 1
    CLOSE = 2


@dataclass(frozen=True)
class Guidance:
    """One coarse wish: a direction of the end effector, a gripper wish, or "let the policy act".

    Attributes:
        source: who wishes.
        author: free text.
        defer: let the policy act; direction and gripper are ignored.
        direction: unit vector in `frame`, or zeros: no translation is commanded.
        frame: frame of the direction.
        amount: 0..1, share of the full coarse speed.
        gripper: wish for the gripper.
        validity: s, counted from receipt.

    Raises:
        GuidanceError: a field is not finite or out of its range.
    """

    source: GuidanceSource
    author: str = ""
    defer: bool = False
    direction: tuple[float, float, float] = (0.0, 0.0, 0.0)
    frame: str = "fr3_link0"
    amount: float = 1.0
    gripper: GripperWish = GripperWish.KEEP
    validity: float = 1.0

    def __post_init__(self) -> None:
        length = math.hypot(*self.direction)
        if not (length == 0.0 or math.isclose(length, 1.0, abs_tol=1e-3)):
            raise GuidanceError(f"guidance direction {self.direction} has length {length:.4g}; it must be 1 or 0")
        if not 0.0 <= self.amount <= 1.0:
            raise GuidanceError(f"guidance amount is {self.amount}; it must lie in [0, 1]")
        if not 0.0 < self.validity <= 60.0:
            raise GuidanceError(f"guidance validity is {self.validity} s; it must lie in (0, 60] s")

    @property
    def commands_nothing(self) -> bool:
        """Whether the policy acts alone under this wish."""
        return self.defer or (self.direction == (0.0, 0.0, 0.0) and self.gripper == GripperWish.KEEP)


DIRECTIONS: dict[str, tuple[float, float, float]] = {
    "+x": (1.0, 0.0, 0.0),
    "-x": (-1.0, 0.0, 0.0),
    "+y": (0.0, 1.0, 0.0),
    "-y": (0.0, -1.0, 0.0),
    "+z": (0.0, 0.0, 1.0),
    "-z": (0.0, 0.0, -1.0),
}
"""The cardinal directions in the base frame: x forward, y left, z up (REP-103)."""
