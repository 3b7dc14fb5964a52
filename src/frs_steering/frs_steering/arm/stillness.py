"""Joint states that come, fresh and finite, and always say the same: a driver that hangs behind a living publisher.

The gate would take the arm to be where they say, however far it has gone. Encoders never measure the same twice while
an arm moves, so readings that repeat themselves to the last bit while it is told to move tell of nothing.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MOVING = 0.01
"""A joint that is told to turn faster than this must be seen to turn [rad/s]."""

LIMIT = 0.15
"""For so long an arm that is told to move may be read at the same place [s]: two control steps at 15 Hz, and what it
takes an arm to set out. Shorter than the age at which joint states are stale: those that stay away may come late,
those that come say something."""

STUCK = "joint states come, but say the same though the arm was told to move; does its driver hang?"
"""What is said of them."""


@dataclasses.dataclass(frozen=True)
class Stillness:
    """What is known of it; times are monotonic, in s.

    Attributes:
        position: joint positions (7,) [rad] as last read; None before the first reading.
        since: since when they have been the same though the arm was told to move.
        stuck: they have been so for too long, and still are.
    """

    position: Array | None = None
    since: float = 0.0
    stuck: bool = False

    def watched(self, position: Array, velocity: Array, now: float, *, news: bool) -> Stillness:
        """After a control step.

        Args:
            position: as read last (7,) [rad].
            velocity: commanded on the step before (7,) [rad/s].
            now: the moment [s].
            news: a reading came since the step before; without one nothing is said, and nothing new is known.
        """
        if self.position is None or (position != self.position).any():
            return Stillness(position, now)
        if self.stuck:
            return self
        if np.abs(velocity).max() <= MOVING:
            return dataclasses.replace(self, since=now)
        return dataclasses.replace(self, stuck=news and now - self.since > LIMIT)
