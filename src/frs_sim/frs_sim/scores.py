"""From rows to scores: successes with their intervals, what they cost, and comparisons on the same scenes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from frs_sim.intervals import Paired, clustered_share, wilson
from frs_sim.rows import NOBODY, Row

ALL = "all tasks"
"""Stands for a task in scores over all of them."""
RARE = 0.95
"""A chunk is in distribution where no larger share of the policy's own chunks fits the observation better: below the
base policy's 95th percentile of the denoising error, see `frs_steering.steer.likeness`."""


@dataclass(frozen=True)
class Condition:
    """What is compared: a method under a reasoner. See `frs_sim.rows.Trial` for the fields."""

    method: str
    reasoner: str
    every: int

    @staticmethod
    def of(row: Row) -> Condition:
        """The condition that a row belongs to."""
        return Condition(row.trial.method, row.trial.reasoner, row.trial.every)

    def label(self, among: Iterable[Condition]) -> str:
        """As short a name as tells it apart from the others."""
        guided = [other for other in among if other.reasoner != NOBODY]
        words = [self.method]
        if self.reasoner != NOBODY:
            words += [self.reasoner] * (len({other.reasoner for other in guided}) > 1)
            words += [f"every {self.every}"] * (len({other.every for other in guided}) > 1)
        return ", ".join(words)


@dataclass(frozen=True)
class Score:
    """How one condition did on one task, or on all.

    Attributes:
        task: its name, or `ALL`.
        condition: what was run.
        n: episodes.
        successes: of these.
        low, high: 95 % Wilson interval of the success rate. Over all tasks the episodes are pooled, which makes it
            rather too wide than too narrow.
        evaluations: of the velocity field, per decision.
        decide_time: s per decision, encoding included, rendering not.
        wall_time: s per episode, all included, beside whatever else ran on the machine.
        steered: 0..1, share of decisions that a reference steered.
        seeds: blocks of scenes.
    """

    task: str
    condition: Condition
    n: int
    successes: int
    low: float
    high: float
    evaluations: float
    decide_time: float
    wall_time: float
    steered: float
    seeds: tuple[int, ...]

    @property
    def rate(self) -> float:
        """0..1."""
        return self.successes / self.n


@dataclass(frozen=True)
class Comparison:
    """Two conditions on the same scenes of one task, or of all."""

    task: str
    first: Condition
    second: Condition
    paired: Paired


@dataclass(frozen=True)
class InDistribution:
    """Share of chunks that are in distribution, each with its 95 % interval: (share, low, high).

    Attributes:
        task: its name, or `ALL`.
        condition: what was run.
        n: steered decisions.
        refined: of the chunks that were driven.
        reference: of the references that they were made from.
        base: of chunks of the policy alone at the same moments; a control, about `RARE`.
    """

    task: str
    condition: Condition
    n: int
    refined: tuple[float, float, float]
    reference: tuple[float, float, float]
    base: tuple[float, float, float]


def counted(rows: Iterable[Row]) -> list[Row]:
    """Those that say anything of their method, see `Episode.counts`."""
    return [row for row in rows if row.episode.counts]


def conditions(rows: Iterable[Row]) -> list[Condition]:
    """What the rows compare, in the order of first appearance."""
    return list(dict.fromkeys(map(Condition.of, rows)))


def tasks(rows: Iterable[Row]) -> list[str]:
    """The tasks of the rows, in the order of first appearance."""
    return list(dict.fromkeys(row.trial.task for row in rows))


def instructions(rows: Iterable[Row]) -> list[str]:
    """What the policy was told in place of the tasks' own sentences."""
    return sorted({row.trial.instruction for row in rows} - {""})


def score(rows: Sequence[Row]) -> list[Score]:
    """Score each condition on each task, and on all where there are several."""
    scores = []
    for task in groups(rows):
        for condition in conditions(rows):
            if chosen := [
                row for row in counted(rows) if Condition.of(row) == condition and task in (row.trial.task, ALL)
            ]:
                scores.append(_score(task, condition, chosen))
    return scores


def compare(rows: Sequence[Row]) -> list[Comparison]:
    """Compare each condition with each later one, on each task, and on all where there are several."""
    outcomes: dict[Condition, dict[tuple[str, int], bool]] = {}
    for row in counted(rows):
        outcomes.setdefault(Condition.of(row), {})[row.trial.task, row.trial.scene] = row.episode.success
    return [
        Comparison(task, first, second, _paired(task, outcomes[first], outcomes[second]))
        for first, second in itertools.combinations(outcomes, 2)
        for task in groups(rows)
    ]


def in_distribution(rows: Sequence[Row]) -> list[InDistribution]:
    """Of each condition for which it was measured, on each task, and on all where there are several."""
    found = []
    for task in groups(rows):
        for condition in conditions(rows):
            mine = [r.episode for r in rows if Condition.of(r) == condition and task in (r.trial.task, ALL)]
            steered = [episode for episode in mine if episode.refined_rarity]
            if steered:
                refined, reference, base = (
                    _common([getattr(episode, f"{kind}_rarity") for episode in steered])
                    for kind in ("refined", "reference", "base")
                )
                count = sum(len(episode.refined_rarity) for episode in steered)
                found.append(InDistribution(task, condition, count, refined, reference, base))
    return found


def groups(rows: Iterable[Row]) -> list[str]:
    """The tasks, and `ALL` after them where there are several."""
    names = tasks(rows)
    return [*names, ALL] if len(names) > 1 else names


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """All of it as plain values for JSON."""
    return {
        "tasks": tasks(rows),
        "seeds": sorted({row.trial.seed for row in rows}),
        "weights": sorted({row.trial.weights for row in rows}),
        "code": sorted({row.trial.code for row in rows}),
        "instructions": instructions(rows),
        "near_end": any(row.trial.near_end for row in rows),
        "left_out": len(rows) - len(counted(rows)),
        "scores": [
            {
                "task": s.task,
                **_named(s.condition),
                "n": s.n,
                "successes": s.successes,
                "rate": s.rate,
                "interval": [s.low, s.high],
                "evaluations_per_decision": s.evaluations,
                "seconds_per_decision": s.decide_time,
                "seconds_per_episode": s.wall_time,
                "share_of_decisions_steered": s.steered,
                "seeds": s.seeds,
            }
            for s in score(rows)
        ],
        "comparisons": [
            {
                "task": c.task,
                "first": _named(c.first),
                "second": _named(c.second),
                "n": c.paired.n,
                "only_first_succeeded": c.paired.first_only,
                "only_second_succeeded": c.paired.second_only,
                "difference": c.paired.difference,
                "interval": c.paired.interval,
                "mcnemar_p": c.paired.p,
            }
            for c in compare(rows)
            if c.paired.n
        ],
        "in_distribution": [
            {
                "task": d.task,
                **_named(d.condition),
                "decisions": d.n,
                "refined": d.refined,
                "reference": d.reference,
                "base": d.base,
            }
            for d in in_distribution(rows)
        ],
    }


def _score(task: str, condition: Condition, rows: Sequence[Row]) -> Score:
    episodes = [row.episode for row in rows]
    successes, decisions = sum(e.success for e in episodes), sum(e.decisions for e in episodes)
    low, high = wilson(successes, len(rows))
    return Score(
        task, condition, len(rows), successes, low, high,
        evaluations=sum(e.evaluations for e in episodes) / decisions,
        decide_time=sum(e.decide_time for e in episodes) / decisions,
        wall_time=sum(e.wall_time for e in episodes) / len(episodes),
        steered=sum(e.steered for e in episodes) / decisions,
        seeds=tuple(sorted({row.trial.seed for row in rows})),
    )  # fmt: skip


def _common(rarities: Sequence[tuple[float, ...]]) -> tuple[float, float, float]:
    """Share that is not rare, and its interval; one tuple an episode."""
    counts = [sum(rarity <= RARE for rarity in episode) for episode in rarities]
    return clustered_share(counts, [len(episode) for episode in rarities])


def _paired(task: str, first: dict[tuple[str, int], bool], second: dict[tuple[str, int], bool]) -> Paired:
    scenes = [key for key in first if key in second and task in (key[0], ALL)]
    return Paired(
        len(scenes),
        sum(first[key] and not second[key] for key in scenes),
        sum(second[key] and not first[key] for key in scenes),
    )


def _named(condition: Condition) -> dict[str, Any]:
    return {"method": condition.method, "reasoner": condition.reasoner, "every": condition.every}
