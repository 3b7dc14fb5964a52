"""Recorded episodes as a noise policy learns from them: what was seen, the noise that was used, and how it ended."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from frs_steering.record.frames import DIAGNOSTICS, commanded, feature_parts

SOURCES = ("base", "human", "vlm", "scripted", "noise policy")
"""Who steered, by the numbers of frs_msgs/Decision."""

DEMONSTRATED = "demonstration"
"""Stands for who steered where the policy had no part."""

_DROVE = (0, 1)  # verdicts of frs_msgs/GateReport: accepted, clipped


@dataclass(frozen=True)
class Step:
    """One decision of an episode, checked.

    Attributes:
        source: who steered, one of SOURCES, or DEMONSTRATED.
        method: how the chunk was made, with settings.
        features: (F,) float32, the policy's pooled features.
        feature_parts: sizes of what belongs together in them, in order; their sum is F.
        joint_position: (7,) float64 rad, in the observation.
        gripper: 0 open .. 1 closed, in the observation.
        noise: (H, D) float32, normalised, the noise used; None where nothing was denoised.
        commanded: (H, D) bool, what of it somebody asked for; the rest is fresh, and follows from nothing.
        chunk: (H, D) float32, SI: what was sent to the arm.
        diagnostics: by those of the names in `record.frames.DIAGNOSTICS` that are known; NaN where not applicable.
        drove: whether the gate let at least one row of it drive.
        policy: name of the policy.
        weights_sha256: of its weights.
    """

    source: str
    method: str
    features: np.ndarray
    feature_parts: tuple[int, ...]
    joint_position: np.ndarray
    gripper: float
    noise: np.ndarray | None
    commanded: np.ndarray
    chunk: np.ndarray
    diagnostics: Mapping[str, float]
    drove: bool
    policy: str
    weights_sha256: str


@dataclass(frozen=True)
class Rollout:
    """One episode.

    Attributes:
        name: of the episode.
        task: name of its task.
        label: "succeeded", "failed", "stopped", "discarded" or "unlabelled".
        steps: its decisions that can be learnt from.
        unusable: its other decisions: reason -> how many.
    """

    name: str
    task: str
    label: str
    steps: tuple[Step, ...]
    unusable: Mapping[str, int]


def rollout(name: str, task: str, label: str, messages: Iterable[Any]) -> Rollout:
    """An episode from its messages, in any order.

    Args:
        name: of the episode.
        task: name of its task.
        label: how it ended.
        messages: frs_msgs Decision and GateReport, or objects with their fields as attributes, as a bag's reader gives.
    """
    told = list(messages)
    decisions = [message for message in told if not hasattr(message, "verdict")]
    drove = driven(message for message in told if hasattr(message, "verdict"))
    steps: list[Step] = []
    unusable: Counter[str] = Counter()
    for decision in decisions:
        reason = _wrong(decision)
        if reason:
            unusable[reason] += 1
        else:
            steps.append(_step(decision, (decision.chunk_id, decision.first_tick) in drove))
    return Rollout(name, task, label, tuple(steps), dict(unusable))


def driven(reports: Iterable[Any]) -> set[tuple[int, int]]:
    """The chunks of which the gate let a row drive, each by its number and the control step at which row 0 was due.

    Numbers begin anew with each owner epoch (when `flow_steering` was started again), and a report does not name the
    epoch; the control steps go on.

    Args:
        reports: frs_msgs GateReport.
    """
    return {
        (report.chunk_id, report.tick - report.row)
        for report in reports
        if report.row >= 0 and report.verdict in _DROVE
    }


def _wrong(decision: Any) -> str:
    size = decision.horizon * decision.dim
    # Recordings made before decisions held them lack these fields altogether.
    if not hasattr(decision, "features") or len(decision.features) == 0:
        return "holds no features of the policy"
    if not 0 <= decision.source < len(SOURCES):
        return f"has an unknown source ({decision.source})"
    sizes_fit = len(decision.noise_used) in (0, size) and len(decision.command_mask) in (decision.dim, size)
    if size == 0 or len(decision.refined) != size or not sizes_fit:
        return "holds arrays of contradicting sizes"
    if sum(feature_parts(decision)) != len(decision.features):
        return "holds features that are not the sum of their parts"
    numbers = (decision.features, decision.joint_position, [decision.gripper], decision.refined, decision.noise_used)
    if not all(math.isfinite(value) for values in numbers for value in values):
        return "holds numbers that are not finite"
    return ""


def _step(decision: Any, drove: bool) -> Step:
    shape = (decision.horizon, decision.dim)
    noise = np.array(decision.noise_used, np.float32)
    return Step(
        source=SOURCES[decision.source],
        method=decision.method,
        features=np.array(decision.features, np.float32),
        feature_parts=feature_parts(decision),
        joint_position=np.array(decision.joint_position, np.float64),
        gripper=float(decision.gripper),
        noise=noise.reshape(shape) if noise.size else None,
        commanded=commanded(decision),
        chunk=np.array(decision.refined, np.float32).reshape(shape),
        diagnostics={name: float(getattr(decision.diagnostics, name)) for name in DIAGNOSTICS},
        drove=drove,
        policy=decision.policy,
        weights_sha256=decision.weights_sha256,
    )
