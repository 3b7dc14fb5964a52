"""Direct execution: the reference itself, without the policy. No evaluation. A baseline of the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frs_steering.steer.sources.interface import Made, Problem, Source

if TYPE_CHECKING:
    from frs_steering.steer.method import Method


def make(problem: Problem, method: Method) -> Made:
    """Drive what is commanded, and nothing else.

    What is not commanded stays as it is, as a person would expect who only says "up": the hand does not turn, an open
    gripper stays open, and one that holds something goes on holding it.
    """
    reference, mask = problem.guided
    return Made(reference.where(mask, problem.rest))


SOURCE = Source(make, settings=(), noise_makes_chunk=False)
