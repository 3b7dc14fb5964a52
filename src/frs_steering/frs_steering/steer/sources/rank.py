"""Sample and rank: of several samples of the base policy, the one that goes with the reference.

A baseline of the paper. K evaluations a candidate, all in one batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from frs_steering.steer.sources.interface import Made, Problem, Source

if TYPE_CHECKING:
    from torch import Tensor

    from frs_steering.steer.method import Method


def make(problem: Problem, method: Method) -> Made:
    """Choose the candidate with the largest `likeness` to the reference.

    Every reference of a batch has candidates of its own, the same as alone.
    """
    reference, mask = problem.guided
    noise = problem.fresh(method.candidates).repeat(problem.count, 1, 1)
    chunks = problem.integrator.denoise(problem.field, noise, method.steps)
    candidates = chunks.unflatten(0, (problem.count, method.candidates))
    best = likeness(candidates, reference[:, None], mask[:, None], problem.rest).argmax(1)
    first = best.new_tensor(range(problem.count)) * method.candidates
    return Made(chunks[first + best], noise[first + best])


def likeness(chunk: Tensor, reference: Tensor, mask: Tensor, rest: Tensor) -> Tensor:
    """Cosine between two motions over the commanded dimensions: (..., H, D) each -> (...).

    Motion is what differs from rest, so that an offset of the policy's normalisation does not count. A reference that
    asks for no motion (open the gripper that is open) has no direction; there, the smaller the distance, the better.
    """
    moved, asked = (chunk - rest) * mask, (reference - rest) * mask
    product = (moved * asked).sum((-2, -1))
    asked_length = asked.square().sum((-2, -1)).sqrt()
    lengths = moved.square().sum((-2, -1)).sqrt() * asked_length
    distance = (moved - asked).square().sum((-2, -1)).sqrt()
    return (product / lengths.clamp(min=1e-9)).where(asked_length > 1e-6, -distance)


SOURCE = Source(make, settings=("steps", "candidates"))
