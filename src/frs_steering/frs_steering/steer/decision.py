"""One decision next to the policy: from a wish, or none, to the chunk that is sent.

The node `flow_steering` takes the same steps, but asks over a service.
"""

from __future__ import annotations

from dataclasses import dataclass

from frs_steering.policies.interface import Observation, Policy
from frs_steering.steer.answer import answer
from frs_steering.steer.deferral import Trust, reason_to_defer
from frs_steering.steer.guidance import Guidance
from frs_steering.steer.query import Answer, query_for
from frs_steering.steer.reference import Reference, reference_for


@dataclass(frozen=True)
class Decided:
    """What was decided.

    Attributes:
        reference: the rough chunk that steered; None where the policy acted.
        defer_reason: why the policy acted although there was a wish; empty where it did not or there was none.
        answer: the chunk and how it came out.
        evaluations: of the velocity field, over all attempts.
    """

    reference: Reference | None
    defer_reason: str
    answer: Answer
    evaluations: int


def decide(
    policy: Policy, observation: Observation, guidance: Guidance | None, trust: Trust, *, steps: int, seed: int
) -> Decided:
    """Make one decision next to the policy: steer, look at the diagnostics, and defer to the policy beyond `trust`."""
    reference = reference_for(guidance, policy.spec)
    result = answer(policy, observation, query_for(reference, steps=steps, seed=seed))
    reason = "" if reference is None else reason_to_defer(result.diagnostics, trust)
    if not reason:
        return Decided(reference, "", result, result.diagnostics.evaluations)
    again = answer(policy, observation, query_for(None, steps=steps, seed=seed))
    return Decided(None, reason, again, result.diagnostics.evaluations + again.diagnostics.evaluations)
