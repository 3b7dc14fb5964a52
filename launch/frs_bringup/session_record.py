"""What a session did, as it goes into session.json: episodes by phase, the training, and what may be said of both."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from frs_sim.intervals import Paired, wilson

COUNTED = ("succeeded", "failed")
"""Labels of episodes that say something about who drove; others were stopped, or something was missing."""


@dataclass(frozen=True)
class EpisodeRow:
    """One episode.

    Attributes:
        seed: of its scene.
        label: "succeeded", "failed", "stopped" or "discarded".
        note: why it ended so.
        steps: control steps until then.
        step_limit: control steps after which it would have failed.
        duration: s.
        decisions: who decided -> how many chunks.
        driven: control steps in which a chunk drove.
        starved: control steps in which one was due and none was there.
        bag: its recording; empty where there is none.
    """

    seed: int
    label: str
    note: str
    steps: int
    step_limit: int
    duration: float
    decisions: Mapping[str, int]
    driven: int
    starved: int
    bag: str


@dataclass
class Phase:
    """Episodes of one kind, in order."""

    episodes: list[EpisodeRow] = field(default_factory=list)

    @property
    def outcomes(self) -> dict[int, bool]:
        """Success by the scene's seed, of those that count; where a scene came more than once, the last counts."""
        return {row.seed: row.label == "succeeded" for row in self.episodes if row.label in COUNTED}

    @property
    def successes(self) -> int:
        """How many scenes succeeded."""
        return sum(self.outcomes.values())

    @property
    def starved(self) -> float | None:
        """Share of the control steps that were due a chunk and had none, of the episodes that count."""
        counted = [row for row in self.episodes if row.label in COUNTED]
        due = sum(row.driven + row.starved for row in counted)
        return sum(row.starved for row in counted) / due if due else None

    def summary(self) -> dict[str, Any]:
        """For session.json: the share with its 95 % Wilson interval, who decided, and every episode."""
        n = len(self.outcomes)
        decided: Counter[str] = Counter()
        for row in self.episodes:
            decided.update(row.decisions)
        return {
            "episodes": n,
            "successes": self.successes,
            "share": self.successes / n if n else None,
            "interval": list(wilson(self.successes, n)),
            "not_counted": len(self.episodes) - n,
            "decisions": dict(decided),
            "starved": self.starved,
            "rows": [asdict(row) for row in self.episodes],
        }


@dataclass(frozen=True)
class Training:
    """How the noise policy was trained.

    Attributes:
        file: of the noise policy.
        version: as decisions name it.
        rollouts: that it was trained on.
        chunks: of these.
        seconds: from the start of the training's process to its end.
        peak_memory_bytes: of that process.
    """

    file: str
    version: str
    rollouts: int
    chunks: int
    seconds: float
    peak_memory_bytes: int


@dataclass
class SessionRecord:
    """The whole session.

    Attributes:
        task: name of the task.
        policy: name and weights_sha256 of the policy.
        wanted: successful rollouts, and autonomous episodes, that were asked for.
        surroundings: versions and machine.
        before: the policy alone.
        rollouts: steered by the scripted reasoner.
        training: of the noise policy; None before.
        after: the noise policy.
        complete: whether it ran to its end.
    """

    task: str
    policy: Mapping[str, str]
    wanted: Mapping[str, int]
    surroundings: Mapping[str, Any]
    before: Phase = field(default_factory=Phase)
    rollouts: Phase = field(default_factory=Phase)
    training: Training | None = None
    after: Phase = field(default_factory=Phase)
    complete: bool = False

    def paired(self) -> Paired:
        """After against before, on the scenes that both have."""
        before, after = self.before.outcomes, self.after.outcomes
        both = before.keys() & after.keys()
        return Paired(
            len(both),
            sum(after[seed] and not before[seed] for seed in both),
            sum(before[seed] and not after[seed] for seed in both),
        )

    def warnings(self) -> list[str]:
        """What a reader of the result has to know: fewer rollouts than were asked for. Only after the rollouts."""
        found, wanted = self.rollouts.successes, self.wanted["rollouts"]
        if not self.rollouts.outcomes or found >= wanted:
            return []
        scenes = len(self.rollouts.outcomes)
        return [f"{found} of {wanted} wanted rollouts: no more of {scenes} scenes succeeded; it learns from these"]

    def summary(self) -> dict[str, Any]:
        """What goes into session.json; `warnings` where there was a training, for before it they are not final."""
        paired = self.paired()
        difference = {
            "scenes": paired.n,
            "after_only": paired.first_only,
            "before_only": paired.second_only,
            "value": paired.difference if paired.n else None,
            "interval": list(paired.interval),
            "p": paired.p,
        }
        return {
            "complete": self.complete,
            "task": self.task,
            "policy": dict(self.policy),
            "wanted": dict(self.wanted),
            "warnings": self.warnings() if self.training else [],
            "before": self.before.summary(),
            "rollouts": self.rollouts.summary(),
            "training": asdict(self.training) if self.training else None,
            "after": self.after.summary(),
            "difference": difference,
            **self.surroundings,
        }

    def write(self, path: Path) -> None:
        """Write session.json in one go, so that what is there is whole whenever the session ends.

        Raises:
            OSError: the disk refused.
        """
        draft = path.with_name(f".{path.name}.part")
        draft.write_text(json.dumps(self.summary(), indent=1) + "\n")
        os.replace(draft, path)
