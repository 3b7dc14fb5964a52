"""What is said of one part of a node: a level, the cause in words, and figures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Level(IntEnum):
    """How bad it is; the same numbers as diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    """It works, but not as it should, or not for long."""
    ERROR = 2
    """It does not work until the cause is mended."""
    STALE = 3
    """Nothing is known: what it goes by has never come."""


@dataclass(frozen=True)
class Health:
    """How one part of a node is.

    Attributes:
        level: how bad.
        message: the cause in words, and what to do next. What changes all the time belongs into `values`: a changed
            message is published at once.
        values: figures by name, with their unit in the name, as text.
    """

    level: Level
    message: str
    values: Mapping[str, str] = field(default_factory=dict)


def worst(found: Iterable[Health], otherwise: str, values: Mapping[str, str]) -> Health:
    """All that is wrong with a part as one: the highest level, the messages one after the other.

    Args:
        found: what is wrong, each for itself.
        otherwise: message of the level OK where nothing is.
        values: of the part.
    """
    wrong = sorted(found, key=lambda health: -health.level)
    if not wrong:
        return Health(Level.OK, otherwise, values)
    return Health(wrong[0].level, "; ".join(health.message for health in wrong), values)


def seconds(value: float | None) -> str:
    """A duration [s] as text; "never" for None."""
    return "never" if value is None else f"{value:.2f}"


def without_figures(words: str) -> str:
    """Words that were made for a log, as a message of `Health`: decimal figures, as of an age, are "..." in them."""
    return re.sub(r"(?<![\w.])-?\d+\.\d+(?![\w.])", "...", words)
