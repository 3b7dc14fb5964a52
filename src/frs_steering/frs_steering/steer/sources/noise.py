"""A noise given from outside, such as a noise policy's, denoised. K evaluations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frs_steering.steer.sources.interface import Made, Problem, Source

if TYPE_CHECKING:
    from frs_steering.steer.method import Method


def make(problem: Problem, method: Method) -> Made:
    """Denoise the given noise, which was expanded from its parameterisation's coordinates."""
    assert problem.noise is not None, "a source that needs a noise is given one"
    return Made(problem.integrator.denoise(problem.field, problem.noise, method.steps), problem.noise)


SOURCE = Source(make, settings=("steps", "integrator", "noise"), needs_reference=False, needs_noise=True)
