"""Flow reversal steering (arXiv 2606.13675): reference -> noise -> delegation -> the policy's own version of it.

2 K evaluations with Euler's method, 4 K with the midpoint method, 1 + K M + K with the fixed point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from frs_steering.flow import steer
from frs_steering.steer.sources.interface import Made, Problem, Source

if TYPE_CHECKING:
    from torch import Tensor

    from frs_steering.steer.method import Method


def make(problem: Problem, method: Method) -> Made:
    """Steer.

    A coarse reference comes back as noise that is longer than any that the policy was trained on. `max_length` brings
    it back, in the same direction; `sigma` widens the point that was found to a region. Both for commanded latents.
    """
    reference, _ = problem.guided
    fresh = problem.fresh(1)
    added = problem.fresh(1) * method.sigma
    kept = problem.commanded(method)

    def alter(recovered: Tensor) -> Tensor:
        noise = problem.parameterisation.project(recovered)
        length = (noise.square() * kept).sum((1, 2), keepdim=True) / kept.sum((1, 2), keepdim=True)
        return noise * (method.max_length / length.sqrt()).clamp(max=1.0) + added

    steered = steer(problem.field, reference, kept, fresh, method.steps, problem.integrator, alter)
    return Made(steered.chunk, steered.noise_used, steered.noise_recovered)


SOURCE = Source(
    make, settings=("steps", "integrator", "iterations", "delegate", "ahead", "max_length", "sigma", "noise")
)
