"""Which settings a set of conditions sweeps: series of conditions that differ in one setting alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from frs_sim.learned import LEARNED
from frs_sim.reasoners import parse_reasoner
from frs_sim.rows import NOBODY
from frs_sim.scores import Condition
from frs_steering.steer.method import parse_method

WRONG = "wrong"
"""The setting "probability that the reasoner errs"."""
EVERY = "every"
"""The setting "guidance at every n-th chunk"."""
AMOUNT = "amount"
"""The setting "of each direction"; 0 where the oracle chooses."""


@dataclass(frozen=True)
class Series:
    """Conditions that differ in one setting alone: what they share in words, and value -> condition, in order."""

    label: str
    points: tuple[tuple[Hashable, Condition], ...]


def sweeps(conditions: Sequence[Condition]) -> dict[str, list[Series]]:
    """Setting -> the series in which it takes two values or more. What the method is (its source) is no setting."""
    known = {condition: _settings(condition) for condition in conditions}
    names = dict.fromkeys(name for settings in known.values() for name in settings if name != "source")
    found = {name: _series(name, known) for name in names}
    return {name: series for name, series in found.items() if series}


def _series(name: str, known: dict[Condition, dict[str, Hashable]]) -> list[Series]:
    together: dict[frozenset[tuple[str, Hashable]], dict[Hashable, Condition]] = {}
    for condition, settings in known.items():
        if name in settings:
            rest = frozenset((key, value) for key, value in settings.items() if key != name)
            together.setdefault(rest, {})[settings[name]] = condition
    swept = [points for points in together.values() if len(points) > 1]
    shared = [condition for points in swept for condition in points.values()]
    return [
        Series(_label(next(iter(points.values())), name, shared), tuple(sorted(points.items(), key=_rank)))
        for points in swept
    ]


def _settings(condition: Condition) -> dict[str, Hashable]:
    settings: dict[str, Hashable] = {"source": condition.method}
    if condition.method not in LEARNED:  # those have no settings of their own
        settings = dataclasses.asdict(parse_method(condition.method))
    if condition.reasoner != NOBODY:
        reasoner = parse_reasoner(condition.reasoner)
        settings |= {WRONG: reasoner.wrong, AMOUNT: reasoner.amount, EVERY: condition.every}
    return settings


def _label(condition: Condition, name: str, among: Sequence[Condition]) -> str:
    """The condition's name without the setting that is swept."""
    source, _, settings = condition.method.partition(":")
    kept = ",".join(setting for setting in settings.split(",") if not setting.startswith(f"{name}="))
    words = [f"{source}:{kept}" if kept else source]
    if name != WRONG and len({other.reasoner for other in among}) > 1:
        words.append(condition.reasoner)
    if name != EVERY and len({other.every for other in among}) > 1:
        words.append(f"every {condition.every}")
    return ", ".join(words)


def _rank(point: tuple[Hashable, Condition]) -> float:
    """Numbers in order, other values as they came."""
    value = point[0]
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
