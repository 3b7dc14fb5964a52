"""What a robot's joint states say about its coming to rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

AT_REST = 0.02  # rad/s, of every joint
STAYS = 0.1  # s for which an arm that rests has to stay so


@dataclass(frozen=True)
class Heard:
    """A message, and when its publisher sent it [ns since the epoch]."""

    sent: int
    message: Any


def speed(joints: Heard) -> float:
    """Of the fastest arm joint [rad/s]."""
    return max(map(abs, joints.message.velocity[:7]))


def seconds(joints: Heard) -> float:
    """The robot's clock when it measured [s]."""
    return joints.message.header.stamp.sec + 1e-9 * joints.message.header.stamp.nanosec


def rest_after(joints: Sequence[Heard], moment: int) -> float | None:
    """How long after `moment` [ns since the epoch] the arm came to rest [s]; None while it has not.

    The moment is found in the joint states by when they were sent; from there on the robot's own clock counts, so
    that a simulation which a busy machine slows down, or a witness that hears late, does not change the figure.
    """
    after = [heard for heard in joints if heard.sent >= moment]
    first = None
    for heard in after:
        if speed(heard) > AT_REST:
            first = None
        elif first is None:
            first = seconds(heard)
        elif seconds(heard) - first > STAYS:
            return max(1e-9, first - seconds(after[0]))
    return None
