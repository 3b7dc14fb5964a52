"""One decision next to the policy: from a wish, or none, to the chunk that is sent.

The node `flow_steering` makes its decisions by the same `Making`, but asks over a service.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from frs_steering.policies.interface import Observation, Policy
from frs_steering.steer.answer import answer
from frs_steering.steer.deferral import Trust
from frs_steering.steer.guidance import Guidance
from frs_steering.steer.making import Making, Next
from frs_steering.steer.method import Method
from frs_steering.steer.query import Answer, query_for
from frs_steering.steer.reference import Reference, reference_for


@dataclass(frozen=True)
class Decided:
    """What was decided.

    Attributes:
        method: that made the chunk; the base policy's where it acted.
        reference: the rough chunk that steered; None where the policy acted.
        defer_reason: why the policy acted although there was a wish; empty where it did not or there was none.
        answer: the chunk and how it came out.
        evaluations: of the velocity field, over all attempts.
    """

    method: Method
    reference: Reference | None
    defer_reason: str
    answer: Answer
    evaluations: int


def decide(
    policy: Policy,
    observation: Observation,
    guidance: Guidance | None,
    trust: Trust,
    *,
    method: Method,
    seed: int,
    noise: np.ndarray | None = None,
) -> Decided:
    """Make one decision next to the policy: by the method, or, where its chunk is not to be trusted, by the policy.

    Where the method needs guidance and there is none, or it lets the policy act, the base policy acts for this chunk;
    so it does where the method needs a noise from outside and there is none.

    Args:
        policy: the frozen policy.
        observation: what it sees.
        guidance: the wish, if there is one; the base method ignores it.
        trust: limits beyond which the policy acts.
        method: how the chunk is made.
        seed: of fresh noise.
        noise: (k, D) normalised, for the method "noise".

    Raises:
        GuidanceError: the wish can't be turned into the policy's chunks.
        QueryError: the method does not fit the policy.
    """
    joints = observation.joint_position
    reference = reference_for(guidance, policy.spec, joints) if method.needs_reference else None
    making = Making(reference, noise_policy=False, method=method, trust=trust, seed=seed)
    if noise is not None:
        making.query = query_for(reference, noise, method=method, seed=seed)
    spent = 0
    while True:
        result = answer(policy, observation, making.query)
        spent += result.diagnostics.evaluations
        if making.answered(result) is Next.DONE:
            return Decided(making.query.method, making.reference, making.defer_reason, result, spent)
