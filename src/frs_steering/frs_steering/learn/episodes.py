"""Episodes on disk, whatever they are kept in: recordings of the journal, or a LeRobotDataset's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from frs_steering.learn.demonstrated import Demonstration, from_decisions, from_steps
from frs_steering.learn.rollouts import Rollout, rollout
from frs_steering.policies.interface import PolicySpec
from frs_steering.record.errors import JournalError
from frs_steering.record.find import find_episodes
from frs_steering.record.reader import Summary, records, summarise
from frs_steering.record.steps import control_steps

DATASET = Path("meta/info.json")
"""A folder with this in it is a LeRobotDataset."""


class Episode(Protocol):
    """One episode, read when it is asked for. What can't be read raises JournalError."""

    def rollout(self) -> Rollout:
        """What the policy did in it."""

    def demonstration(self, spec: PolicySpec, every: int) -> Demonstration:
        """What was done in it, as chunks of the policy of `spec`, from every `every`-th control step on."""


@dataclass(frozen=True)
class RecordedEpisode:
    """An episode of the journal: its file, or its directory."""

    path: Path

    def rollout(self) -> Rollout:
        """See `Episode`."""
        summary = self._summary()
        messages = [record.message for record in records(self.path, ["decision", "gate_report"])]
        return rollout(*self._named(summary), messages)

    def demonstration(self, spec: PolicySpec, every: int) -> Demonstration:
        """See `Episode`; without camera streams (`frs eval --record`) the chunks are those of the decisions."""
        summary = self._summary()
        if summary.count("policy_input") and not summary.count("arm_state"):
            if every != 1:
                raise JournalError(f"{self.path} holds only chunks as they were decided, and takes no --every {every}")
            chunks = from_decisions(self.path, spec)
        else:
            chunks = from_steps(list(control_steps(self.path)), summary.episode.get("instruction", ""), spec, every)
        return Demonstration(*self._named(summary), chunks)

    def _summary(self) -> Summary:
        summary = summarise(self.path)
        if summary.damage:
            raise JournalError(f"{self.path} is damaged: {'; '.join(summary.damage)}")
        return summary

    def _named(self, summary: Summary) -> tuple[str, str, str]:
        # Name, task and label.
        known = summary.episode
        task = known.get("task") or task_of(known.get("instruction", ""))
        return known.get("episode_id", self.path.stem), task, summary.result.get("label") or "unlabelled"


def find(paths: Sequence[Path]) -> list[Episode]:
    """Every episode at or below the paths.

    Raises:
        JournalError: a path does not exist, holds no episode, or is a dataset that can't be read.
    """
    datasets = [path for path in paths if (path / DATASET).is_file()]
    others = [path for path in paths if path not in datasets]
    found: list[Episode] = [RecordedEpisode(path) for path in find_episodes(others)] if others or not datasets else []
    if datasets:
        from frs_steering.learn.dataset import dataset_episodes  # here: it loads a database

        found += [episode for path in datasets for episode in dataset_episodes(path)]
    return found


def task_of(instruction: str) -> str:
    """A task's name from its sentence, for episodes that name none: "Put it down!" is "put_it_down"."""
    return re.sub(r"[^a-z0-9]+", "_", instruction.lower()).strip("_")
