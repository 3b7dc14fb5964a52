"""What a noise policy is trained on: the chunks of successful rollouts, with a report of what was left out and why."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from frs_steering.flow import Parameterisation
from frs_steering.learn.errors import TrainingError
from frs_steering.learn.rollouts import DEMONSTRATED, SOURCES, Rollout, Step
from frs_steering.record.frames import DIAGNOSTICS
from frs_steering.steer.method import Method, MethodError, parse_method

EXPERTS = (*SOURCES[1:4], DEMONSTRATED)
"""Who acts as an expert does: a person, a model or a script that gave guidance, and whoever demonstrated."""

OWN = SOURCES[4]
"""Who steered where a noise policy drove by itself."""


_KNOWN_WHERE = (
    "recordings hold it, and LeRobotDatasets with the column frs.diagnostics; of demonstrations only round_trip_rms is"
    " known, and where chunks are learnt not even that"
)


@dataclass(frozen=True)
class Limits:
    """Diagnostics beyond which a chunk is left out. By the defaults none is; what is not applicable (NaN) is kept.

    Attributes:
        noise_percentile: 0..1, at most.
        round_trip_rms: normalised, at most.
        agreement: -1..1, at least.
        fixed_point_residual: normalised, at most.
    """

    noise_percentile: float = 1.0
    round_trip_rms: float = math.inf
    agreement: float = -1.0
    fixed_point_residual: float = math.inf

    def beyond(self, step: Step) -> str:
        """Name of the first diagnostic that is beyond its limit, in words; empty where none is.

        Raises:
            TrainingError: one that has a limit is not known of the chunk.
        """
        for name in DIAGNOSTICS:
            limit = getattr(self, name)
            if limit == getattr(Limits, name):  # none: the dataclass keeps its defaults as attributes
                continue
            if name not in step.diagnostics:
                raise TrainingError(f"{name} has the limit {limit:g} but is not known of all chunks: {_KNOWN_WHERE}")
            found = step.diagnostics[name]
            if found < limit if name == "agreement" else found > limit:
                return f"{name} {'below' if name == 'agreement' else 'above'} {limit:g}"
        return ""


@dataclass(frozen=True)
class Quality:
    """What the data is like.

    Attributes:
        episodes: names of the successful episodes, in order.
        tasks: names of theirs, sorted.
        other_episodes: label -> how many were left out.
        chunks: decisions in the successful episodes.
        dropped: reason -> how many of them were left out.
        sources: who steered -> how many of those kept.
        beyond_bound: share of the numbers to be learnt that are beyond the bound and were cut.
        kept_length: share of the noises' square length that is in the parameterisation; 1 where it is full.
    """

    episodes: tuple[str, ...]
    tasks: tuple[str, ...]
    other_episodes: dict[str, int]
    chunks: int
    dropped: dict[str, int]
    sources: dict[str, int]
    beyond_bound: float
    kept_length: float

    def lines(self) -> list[str]:
        """The report, for people."""
        others = ", ".join(f"{count} {label}" for label, count in sorted(self.other_episodes.items()))
        kept = self.chunks - sum(self.dropped.values())
        lines = [f"{len(self.episodes)} successful episodes of {', '.join(self.tasks)}"
                 + (f"; left out: {others}" if others else "")]  # fmt: skip
        if len(self.tasks) > 1:
            lines.append(f"of {len(self.tasks)} tasks: a noise policy knows no instruction, and will mix what they ask")
        lines.append(f"{kept} of {self.chunks} chunks are learnt from; steered by: "
                     + ", ".join(f"{source} {count}" for source, count in sorted(self.sources.items())))  # fmt: skip
        lines += [f"  dropped {count}: {reason}" for reason, count in sorted(self.dropped.items())]
        lines.append(f"{self.beyond_bound:.1%} of the numbers are beyond the bound and were cut to it")
        if self.kept_length < 1.0:
            lines.append(f"the parameterisation holds {self.kept_length:.0%} of the noises' square length")
        return lines


@dataclass(frozen=True)
class Sampler:
    """How a noise becomes a chunk: the same noise, denoised otherwise, is another chunk.

    Attributes:
        integrator: "euler" or "midpoint"; the fixed point's sampler is Euler's.
        steps: K.
    """

    integrator: str = "euler"
    steps: int = 10

    def __str__(self) -> str:
        return f"{self.integrator}:steps={self.steps}"

    def method(self, noise: str = "full") -> Method:
        """That makes a chunk so of a given noise in a parameterisation.

        Raises:
            MethodError: there is no such sampler.
        """
        return Method("noise", self.steps, self.integrator, noise=noise)


USUAL = Sampler()
"""The paper's, and that of all methods unless they say otherwise."""


def sampler_of(method: Method) -> Sampler:
    """By which a method makes its chunk."""
    return Sampler("euler" if method.integrator == "fixed_point" else method.integrator, method.steps)


@dataclass(frozen=True)
class NoiseData:
    """Pairs to be learnt.

    Attributes:
        inputs: (N, F + 8) float32: features, joint positions [rad], gripper.
        targets: (N, k, D) float32: noise in the parameterisation's coordinates, or (N, H, D) chunks in SI.
        said: (k, D) bool, what of a target is to be learnt: what of the noises was ever commanded. The rest was fresh
            noise in all of them, and is drawn as such. All of it where chunks are learnt.
        expert: (N,) bool, chunks that somebody steered or demonstrated.
        own: (N,) bool, chunks that a noise policy made by itself; what is neither is the policy's own.
        episode: (N,) int64, number of the episode that each is from.
        chunks: whether the targets are chunks.
        parts: sizes of what belongs together in an input, in order: the features' parts, the joints, the gripper.
        horizon: H, rows of a chunk.
        policy: name of the policy whose features and noises these are.
        weights_sha256: of its weights.
        quality: what was left out.
        sampler: by which the noises make their chunks; of no meaning where chunks are learnt.
        demonstrations: how the targets were found in demonstrations; empty where they were recorded.
    """

    inputs: Tensor
    targets: Tensor
    said: Tensor
    expert: Tensor
    own: Tensor
    episode: Tensor
    chunks: bool
    parts: tuple[int, ...]
    horizon: int
    policy: str
    weights_sha256: str
    quality: Quality
    sampler: Sampler = USUAL
    demonstrations: str = ""

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def steered(self) -> Tensor:
        """(N,) bool, chunks whose noise somebody chose: not the policy's own; all, where chunks are learnt, or where
        the policy acted alone throughout."""
        steered = self.expert | self.own
        return steered if steered.any() and not self.chunks else torch.ones_like(steered)


def inputs(features: np.ndarray, joint_position: np.ndarray, gripper: float) -> np.ndarray:
    """What a noise policy sees: (F,) features, (7,) rad and the gripper as (F + 8,) float32."""
    return np.concatenate([features, joint_position, [gripper]]).astype(np.float32)


def gather(
    rollouts: Sequence[Rollout],
    *,
    kind: str,
    noise: str = "full",
    bound: float = 5.0,
    limits: Limits | None = None,
    demonstrations: str = "",
) -> NoiseData:
    """The pairs of all chunks of successful rollouts that drove the arm.

    Args:
        rollouts: of one policy.
        kind: "dsbc" learns the noise, "bc" the chunk.
        noise: name of a `flow.Parameterisation`, of what "dsbc" learns.
        bound: size beyond which noise is cut, as the noise policy can't say it.
        limits: diagnostics beyond which a chunk is left out.
        demonstrations: how the noises were found, where the episodes are demonstrations.

    Raises:
        TrainingError: no chunk is left, the rollouts are of several policies, or the noises of several samplers.
        ValueError: the parameterisation does not exist.
    """
    parameterisation = Parameterisation(noise)
    dropped: Counter[str] = Counter()
    kept: list[Step] = []
    episode: list[int] = []
    successful = [one for one in rollouts if one.label == "succeeded"]
    for number, one in enumerate(successful):
        dropped.update(one.unusable)
        for step in one.steps:
            reason = _reason_to_drop(step, kind, limits or Limits())
            if reason:
                dropped[reason] += 1
            else:
                kept.append(step)
                episode.append(number)
    others = Counter(one.label for one in rollouts if one.label != "succeeded")
    if not kept:
        raise TrainingError(_nothing(rollouts, successful, dropped))
    policies = sorted({(step.policy, step.weights_sha256) for step in kept})
    if len(policies) > 1:
        names = ", ".join(f"{name} ({digest[:12]})" for name, digest in policies)
        raise TrainingError(f"the episodes are of {len(policies)} policies: {names}; a noise is one policy's own")
    shapes = {(*step.chunk.shape, step.features.size) for step in kept}
    if len(shapes) > 1:
        raise TrainingError(f"chunks and features (H, D, F) are of {len(shapes)} shapes: {sorted(shapes)}; one policy's"
                            " have one, so some were recorded with an older version")  # fmt: skip
    parts = _parts(kept)
    horizon, sampler = kept[0].chunk.shape[0], USUAL
    if kind == "bc":
        targets, share, beyond = torch.from_numpy(np.stack([step.chunk for step in kept])), 1.0, 0.0
        said = torch.ones_like(targets[0], dtype=torch.bool)
    else:
        sampler = _sampler(kept)
        whole = torch.from_numpy(np.stack([step.noise for step in kept if step.noise is not None]))
        targets = parameterisation.compress(whole)
        share = float(parameterisation.expand(targets, horizon).square().sum() / whole.square().sum().clamp(min=1e-9))
        beyond = float((targets.abs() > bound).float().mean())
        targets = targets.clamp(-bound, bound)
        said = _said(kept, parameterisation)
    seen = np.stack([inputs(step.features, step.joint_position, step.gripper) for step in kept])
    quality = Quality(
        episodes=tuple(one.name for one in successful),
        tasks=tuple(sorted({one.task for one in successful})),
        other_episodes=dict(others),
        chunks=sum(len(one.steps) + sum(one.unusable.values()) for one in successful),
        dropped=dict(dropped),
        sources=dict(Counter(step.source for step in kept)),
        beyond_bound=beyond,
        kept_length=share,
    )
    expert, own = (torch.tensor([step.source in who for step in kept]) for who in (EXPERTS, (OWN,)))
    return NoiseData(
        torch.from_numpy(seen), targets, said, expert, own, torch.tensor(episode), kind == "bc", (*parts, 7, 1),
        horizon, *policies[0], quality, sampler, demonstrations,
    )  # fmt: skip


def _parts(steps: Sequence[Step]) -> tuple[int, ...]:
    """Of the features. Older recordings don't tell them, and stand beside others that do."""
    told = {step.feature_parts for step in steps if len(step.feature_parts) > 1}
    if len(told) > 1 or any(sum(parts) != steps[0].features.size for parts in told):
        raise TrainingError(f"the features' parts are told as {sorted(told)}; they must be the same everywhere, and add"
                            f" up to the {steps[0].features.size} features")  # fmt: skip
    return next(iter(told), (steps[0].features.size,))


def _said(steps: Sequence[Step], parameterisation: Parameterisation) -> Tensor:
    """Which coordinates of the noises were ever commanded; where none was (a policy that acted alone), all of them."""
    ever = torch.from_numpy(np.any([step.commanded for step in steps], 0))
    if parameterisation.name != "full":  # a coordinate stands for all rows
        ever = ever.any(0).expand(parameterisation.rows(len(ever)), -1)
    return ever if ever.any() else torch.ones_like(ever)


def _sampler(steps: Sequence[Step]) -> Sampler:
    """The one by which all noises make their chunks."""
    found = Counter(sampler_of(parse_method(step.method)) for step in steps)
    if len(found) > 1:
        ways = ", ".join(f"{sampler} ({count} chunks)" for sampler, count in found.most_common())
        raise TrainingError(f"the noises are of {len(found)} samplers: {ways}; a noise is a chunk by one of them alone")
    return next(iter(found))


def _reason_to_drop(step: Step, kind: str, limits: Limits) -> str:
    if not step.drove:
        return "never drove the arm"
    try:
        method = parse_method(step.method)
    except MethodError as error:
        return str(error)
    if kind == "dsbc" and (step.noise is None or not method.noise_makes_chunk):
        return f"made by {method.source!r}, whose chunk is not its noise denoised"
    return limits.beyond(step)


def _nothing(rollouts: Sequence[Rollout], successful: Sequence[Rollout], dropped: Counter[str]) -> str:
    if not rollouts:
        return "no episode was given"
    if not successful:
        labels = ", ".join(f"{count} {label}" for label, count in sorted(Counter(r.label for r in rollouts).items()))
        return (
            f"none of {len(rollouts)} episodes succeeded ({labels});"
            " label some first: frs record label EPISODE succeeded"
        )
    reasons = "; ".join(f"{count} {reason}" for reason, count in sorted(dropped.items())) or "they hold no decision"
    return f"no chunk of {len(successful)} successful episodes can be learnt from: {reasons}"
