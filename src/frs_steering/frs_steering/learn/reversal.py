"""Demonstrations as rollouts: the noise with which the frozen policy would have done what was demonstrated.

So a noise policy learns from demonstrations that the policy had no part in (offline DSBC): each demonstrated chunk is
integrated backwards under its own observation. A precise demonstration needs a precise inversion: by default that of
the fixed point, which inverts the sampler itself; Euler's is off by its own error (docs/concepts.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from frs_steering.flow import VelocityField, integrator
from frs_steering.learn.demonstrated import Demonstrated, Demonstration
from frs_steering.learn.noise_data import sampler_of
from frs_steering.learn.rollouts import DEMONSTRATED, Rollout, Step
from frs_steering.policies.interface import Policy, Prefix
from frs_steering.steer.method import Method

BATCH = 64
"""Chunks that are reversed together."""


@runtime_checkable
class Stacking(Protocol):
    """A policy whose field takes a batch under as many observations as it has chunks."""

    def stack(self, prefixes: Sequence[Any]) -> Any:
        """Encoded observations as one, for `field`: the i-th chunk of a batch is then seen under the i-th."""


@dataclass(frozen=True)
class Reversal:
    """How noises are found.

    Attributes:
        integrator: a name of `flow.INTEGRATORS`.
        steps: K.
    """

    integrator: str = "fixed_point"
    steps: int = 10

    def __str__(self) -> str:
        return f"{self.integrator}:steps={self.steps}"


def reversed_rollout(demonstration: Demonstration, policy: Policy, how: Reversal) -> Rollout:
    """A demonstration with the noises of its chunks, found in batches.

    Args:
        demonstration: what was done.
        policy: whose noises are wanted.
        how: to reverse, and to come back, for the round trip that the diagnostics tell.
    """
    one, steps = demonstration, []
    for first in range(0, len(one.chunks), BATCH):
        steps += _reverse(one.chunks[first : first + BATCH], policy, how)
    return Rollout(one.name, one.task, one.label, tuple(steps), {})


@torch.inference_mode()
def encoded_rollout(demonstration: Demonstration, policy: Policy) -> Rollout:
    """A demonstration with the policy's features alone, and no noises: the baseline that says chunks takes no more."""
    one = demonstration
    steps = [_step(some, policy.encode(policy.prepare(some.observation)), policy, "direct") for some in one.chunks]
    return Rollout(one.name, one.task, one.label, tuple(steps), {})


@torch.inference_mode()
def _reverse(chunks: Sequence[Demonstrated], policy: Policy, how: Reversal) -> list[Step]:
    prefixes = [policy.encode(policy.prepare(one.observation)) for one in chunks]
    if isinstance(policy, Stacking):
        field = policy.field(policy.stack(prefixes))
    else:
        field = _side_by_side([policy.field(prefix) for prefix in prefixes])
    wanted = policy.normalise(torch.from_numpy(np.stack([one.chunk for one in chunks])))
    back_and_forth = integrator(how.integrator)
    noise = back_and_forth.reverse(field, wanted, how.steps)
    method = str(sampler_of(Method("noise", how.steps, how.integrator)).method())
    off = (back_and_forth.denoise(field, noise, how.steps) - wanted).square().mean((1, 2)).sqrt()
    return [
        _step(one, prefix, policy, method, found, missed)
        for one, prefix, found, missed in zip(chunks, prefixes, noise, off.tolist(), strict=True)
    ]


def _side_by_side(fields: Sequence[VelocityField]) -> VelocityField:
    """The field of a batch whose chunks are each under an observation of their own.

    A policy's field takes any batch, but under one observation (`policies.interface`); one that can't stack several is
    asked for one chunk after the other, and only what an inversion does beside it is done for the batch at once.
    """

    def velocity(x: Tensor, t: Tensor) -> Tensor:
        return torch.cat([field(x[i : i + 1], t[i : i + 1]) for i, field in enumerate(fields)])

    return velocity


def _step(
    one: Demonstrated, prefix: Prefix, policy: Policy, method: str, noise: Tensor | None = None, off: float = math.nan
) -> Step:
    spec = policy.spec
    return Step(
        source=DEMONSTRATED,
        method=method,
        features=(features := prefix.features.float().numpy()),
        feature_parts=spec.feature_parts or (features.size,),
        joint_position=one.observation.joint_position,
        gripper=one.observation.gripper,
        noise=None if noise is None else noise.float().numpy(),
        commanded=np.ones(one.chunk.shape, bool),
        chunk=one.chunk,
        diagnostics={} if noise is None else {"round_trip_rms": off},
        drove=True,
        policy=spec.name,
        weights_sha256=spec.weights_sha256,
    )
