"""The reference's motion with the base policy's rotation and gripper: a baseline of the paper. K evaluations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frs_steering.steer.sources import base
from frs_steering.steer.sources.interface import Made, Problem, Source

if TYPE_CHECKING:
    from frs_steering.steer.method import Method


def make(problem: Problem, method: Method) -> Made:
    """Commanded dimensions from the reference, the others from the base policy's sample of the same seed."""
    reference, mask = problem.guided
    sampled = base.make(problem, method)
    return Made(reference.where(mask, sampled.chunk), sampled.noise_used)


SOURCE = Source(make, settings=("steps",), noise_makes_chunk=False)
