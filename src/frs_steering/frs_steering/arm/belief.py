"""Which joint states are believed: an arm can't be somewhere else all at once, but a message can say so."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from frs_steering.arm.reading import Reading
from frs_steering.arm.robots import Robot
from frs_steering.robot.fr3 import JOINT_NAMES

Array = NDArray[np.float64]

REACH = 0.05
"""Beyond what a joint can turn in the time since the last reading, for the jitter of messages [rad]."""
DOUBT = 0.1
"""For so long must readings agree on a place that the arm can't have got to before they are believed [s]."""
OUTSIDE = 0.1
"""So far may a joint be beyond the robot's own range: put there by hand, or by a range that is not quite that [rad]."""


@dataclasses.dataclass(frozen=True)
class Belief:
    """What is believed of where the arm is. Times are monotonic, in s.

    Attributes:
        reading: the last one that was believed; None before the first.
        before: joint positions (7,) [rad] of the one before it, or its own where the arm was set elsewhere in between.
        at: when it came.
        jumped: the arm was set elsewhere between the one before and this one.
        doubted: the last one that was not believed, since the last that was.
        doubted_at: when that came.
        doubted_since: since when those that were not believed agree with each other.
        why_not: why the last one of all was not believed, in words; empty if it was.
        heard_at: when that came.
    """

    reading: Reading | None = None
    before: Array | None = None
    at: float = -math.inf
    jumped: bool = False
    doubted: Reading | None = None
    doubted_at: float = -math.inf
    doubted_since: float = math.inf
    why_not: str = ""
    heard_at: float = -math.inf

    def staleness(self, now: float, limit: float) -> str:
        """Why the arm's whereabouts are not known at `now`, in words; empty if they are: `limit` s old at most."""
        age, doubt = now - self.at, self.doubt(now, limit)
        if age <= limit:
            return ""
        if self.reading is None:
            return f"joint states are not believed: {doubt}" if doubt else "no joint states yet"
        others = f"; those that come are not believed: {doubt}" if doubt else ""
        return f"joint states are {age:.2f} s old, limit {limit:.2f} s{others}"

    def doubt(self, now: float, limit: float) -> str:
        """Why the joint states that come are not believed, in words; empty where some lately were, or none come."""
        return self.why_not if now - self.at > limit >= now - self.heard_at else ""

    def heard(self, reading: Reading, now: float, robot: Robot, expected: Array) -> tuple[Belief, str]:
        """The belief after a reading, and why that is not believed, in words; empty if it is.

        It is believed near the last one that was, and near `expected` (7,) [rad], where the arm was told to be: it
        moves on while nothing is heard. A simulation's reset, or an arm that was moved while nobody listened, is
        believed after DOUBT.
        """
        beyond = np.maximum(robot.position_low - reading.position, reading.position - robot.position_high)
        joint = int(beyond.argmax())
        if beyond[joint] > OUTSIDE:
            place, low = reading.position[joint], robot.position_low[joint]
            end = low if place < low else robot.position_high[joint]
            why = f"{JOINT_NAMES[joint]} at {place:.3f} rad; its range ends at {end:.3f} rad"
            return dataclasses.replace(self, why_not=why, heard_at=now), why
        if self.reading is None:
            return Belief(reading, reading.position, now), ""
        near = _reaches(self.reading.position, reading, now - self.at, robot)
        if near or _reaches(expected, reading, now - self.at, robot):
            return Belief(reading, self.reading.position, now), ""
        agrees = self.doubted is not None and _reaches(self.doubted.position, reading, now - self.doubted_at, robot)
        since = self.doubted_since if agrees else now
        if now - since >= DOUBT:
            return Belief(reading, reading.position, now, jumped=True), ""
        moved = np.abs(reading.position - self.reading.position)
        joint = int((moved / robot.velocity).argmax())
        why = f"{JOINT_NAMES[joint]} is said to have turned by {moved[joint]:.3f} rad in {now - self.at:.3f} s"
        doubtful = dataclasses.replace(
            self, doubted=reading, doubted_at=now, doubted_since=since, why_not=why, heard_at=now
        )
        return doubtful, why


def _reaches(before: Array, after: Reading, seconds: float, robot: Robot) -> bool:
    # After a long silence anything could be reached, and a wrong first word be believed; hence the bound.
    reach = robot.velocity * min(seconds, DOUBT) + REACH
    return bool((np.abs(after.position - before) <= reach).all())
