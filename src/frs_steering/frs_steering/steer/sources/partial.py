"""Partial noising: the reference, noised to a strength and denoised from there. A baseline of the paper.

Source: SDEdit (Meng et al., arXiv 2108.01073), with this policy's straight paths: x_t = (1 - t) noise + t reference.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from frs_steering.steer.sources import direct
from frs_steering.steer.sources.interface import Made, Problem, Source

if TYPE_CHECKING:
    from frs_steering.steer.method import Method


def make(problem: Problem, method: Method) -> Made:
    """Noise what `direct` would drive up to t = 1 - strength, and denoise with steps no longer than the sampler's.

    That takes ceil(K * strength) evaluations. Strength 1 is the base policy; close to 0 the reference is driven.
    """
    reference = direct.make(problem, method).chunk
    start = 1.0 - method.strength
    used = problem.fresh(1).expand(problem.count, -1, -1)
    noised = used * method.strength + reference * start
    steps = math.ceil(method.steps * method.strength - 1e-9)  # 10 * 0.7 is a little more than 7
    return Made(problem.integrator.denoise(problem.field, noised, steps, start), used)


SOURCE = Source(make, settings=("steps", "strength"), noise_makes_chunk=False)
