"""Whether an episode's file is complete: every topic, every image, every decision with its chunk, and a label."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from frs_steering.record.errors import JournalError
from frs_steering.record.reader import Record, Summary, image, records, summarise
from frs_steering.record.topics import EVALUATED, Kind, episode_topics, stored_name

TOLERANCE = 1e-4
"""Largest difference in SI units between a chunk and the same one told by somebody else, or made again."""

EVALUATION = "/frs_eval"
"""In place of a node's name among the parameters: the episode was written by `frs eval --record`, without the graph."""

_LABELS = ("succeeded", "failed", "stopped", "discarded")


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes:
        summary: of the file.
        problems: a line each; empty for a complete episode.
    """

    summary: Summary
    problems: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing is missing and nothing damaged."""
        return not self.problems


def check(path: Path, cameras: Sequence[str] = ("exterior", "wrist")) -> Report:
    """Read an episode through and name everything that a complete one would have and this one has not.

    Args:
        path: of the file, the partial file, or the episode's directory.
        cameras: names of the cameras that must be there, but in an episode of `frs eval --record`, which has none.

    Raises:
        JournalError: the file is missing, empty, not MCAP, not written by ROS 2, or a message is undecodable.
    """
    summary = summarise(path)
    evaluated = EVALUATION in summary.configuration.parameters
    required = [stored_name(topic) for topic in episode_topics(cameras) if topic.required]
    problems = [*summary.damage, *_missing(summary, EVALUATED if evaluated else required), *_unlabelled(summary)]
    images = [stored_name(topic) for topic in episode_topics(cameras) if topic.kind is Kind.IMAGE]
    chunks: dict[tuple[int, int], np.ndarray] = {}
    refined: dict[tuple[int, int], np.ndarray] = {}
    decisions: dict[tuple[int, int], list[str]] = {}
    for record in records(path, [*images, "action_chunk", "decision"]):
        if record.known_as == "action_chunk":
            chunks[record.message.owner_epoch, record.message.chunk_id] = np.array(record.message.rows, np.float32)
        elif record.known_as == "decision":
            key = (record.message.owner_epoch, record.message.chunk_id)
            decisions[key], refined[key] = _wrong_decision(record), np.array(record.message.refined, np.float32)
        else:
            problems += _undecodable(record)
    first = min(decisions, default=None)
    for key, wrong in decisions.items():
        name = f"decision on chunk {key[1]} of epoch {key[0]}"
        problems += [f"{name}: {line}" for line in wrong]
        if evaluated:  # its decisions are its chunks
            continue
        if key not in chunks:
            if key == first and key < min(chunks, default=key):  # the recording began between the two
                continue
            problems.append(f"{name}: its action chunk is not in the file")
        elif not wrong:
            problems += [f"{name}: {line}" for line in _differing(refined[key], chunks[key])]
    return Report(summary, tuple(problems))


def _missing(summary: Summary, topics: Iterable[str]) -> list[str]:
    return [f"no message on {topic}" for topic in topics if not summary.count(topic)]


def _unlabelled(summary: Summary) -> list[str]:
    problems = []
    label = summary.result.get("label", "")
    if label not in _LABELS:
        problems.append(f"label is {label!r}; it must be one of {', '.join(_LABELS)}")
    dropped = summary.result.get("dropped_control")
    if dropped is None:
        problems.append("how many control records were lost is not known: its recorder died")
    elif dropped != "0":
        problems.append(f"{dropped} control records were lost while recording")
    return problems


def _wrong_decision(record: Record) -> list[str]:
    decision = record.message
    size = decision.horizon * decision.dim
    problems = []
    for name, may_be_empty in (
        ("refined", False),
        ("noise_used", True),
        ("noise_recovered", True),
        ("reference", True),
    ):
        values = getattr(decision, name)
        if len(values) != size and not (may_be_empty and len(values) == 0):
            problems.append(f"{name} has {len(values)} values; {decision.horizon} x {decision.dim} expected")
        if not all(map(math.isfinite, values)):
            problems.append(f"{name} is not finite")
    return problems


def _differing(refined: np.ndarray, rows: np.ndarray) -> list[str]:
    """What the decision says against what was sent to drive the arm."""
    if rows.shape != refined.shape:
        return [f"its action chunk has {rows.size} values; the decision has {refined.size}"]
    difference = float(np.abs(rows - refined).max(initial=0.0))
    if not difference <= TOLERANCE:  # and so not NaN
        return [
            f"its action chunk is another than the decision's, by {difference:.2g}; at most {TOLERANCE:g} is the same"
        ]
    return []


def _undecodable(record: Record) -> list[str]:
    try:
        image(record)
    except JournalError as error:
        return [str(error)]
    return []
