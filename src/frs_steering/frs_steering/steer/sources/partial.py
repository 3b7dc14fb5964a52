"""Partial noising: the reference, noised to a strength and denoised from there. A baseline of the paper, and a stronger
one, which has the policy's own sample in place of rest where nothing is commanded.

Source: SDEdit (Meng et al., arXiv 2108.01073), with this policy's straight paths: x_t = (1 - t) noise + t reference.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from frs_steering.steer.sources import direct, translation
from frs_steering.steer.sources.interface import Made, Problem, Source

if TYPE_CHECKING:
    from frs_steering.steer.method import Method


def make(problem: Problem, method: Method) -> Made:
    """Noise a chunk up to t = 1 - strength, and denoise with steps no longer than the sampler's.

    Noised is what `translation` would drive; without delegation, as in the paper, what `direct` would. That takes
    K + ceil(K * strength) evaluations, without delegation ceil(K * strength). Strength 1 is the base policy; close to 0
    the chunk is driven as it is.
    """
    driven = (translation if method.delegate else direct).make(problem, method)
    start = 1.0 - method.strength
    used = problem.fresh(1).expand(problem.count, -1, -1) if driven.noise_used is None else driven.noise_used
    noised = used * method.strength + driven.chunk * start
    steps = math.ceil(method.steps * method.strength - 1e-9)  # 10 * 0.7 is a little more than 7
    return Made(problem.integrator.denoise(problem.field, noised, steps, start), used)


SOURCE = Source(make, settings=("steps", "strength", "delegate"), noise_makes_chunk=False)
