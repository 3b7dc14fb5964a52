"""The policy alone: fresh noise, denoised. K evaluations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frs_steering.steer.sources.interface import Made, Problem, Source

if TYPE_CHECKING:
    from frs_steering.steer.method import Method


def make(problem: Problem, method: Method) -> Made:
    """Sample one chunk; guidance is ignored."""
    used = problem.fresh(1).expand(problem.count, -1, -1)
    return Made(problem.integrator.denoise(problem.field, used, method.steps), used)


SOURCE = Source(make, settings=("steps", "noise"), needs_reference=False)
