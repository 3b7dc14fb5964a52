"""Whether a steered chunk can be trusted, or the policy should act alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from frs_steering.steer.query import Answer


@dataclass(frozen=True)
class Trust:
    """Limits beyond which a steered chunk is dropped. The defaults never are.

    Attributes:
        min_noise_percentile: 0..1; a reference whose noise is shorter is out of the distribution, too.
        max_noise_percentile: 0..1; longer noise is out of the distribution that the policy was trained on.
        max_round_trip: RMS, normalised; beyond it the refined chunk is another one than the reference.
        min_agreement: -1..1; below it the policy's prior has turned the motion away from the wish.
        max_residual: RMS, normalised, of the fixed point; beyond it the sampler was not inverted.
    """

    min_noise_percentile: float = 0.0
    max_noise_percentile: float = 1.0
    max_round_trip: float = math.inf
    min_agreement: float = -1.0
    max_residual: float = math.inf


def reason_to_defer(answer: Answer, trust: Trust) -> str:
    """Why the chunk can't be trusted, in words; empty where it can.

    A chunk that is not finite never can. A diagnostic that is not applicable (NaN) is not judged.
    """
    if answer.chunk is not None and (bad := int(np.count_nonzero(~np.isfinite(answer.chunk)))):
        return f"the chunk has {bad} values that are not finite"
    found = answer.diagnostics
    if found.noise_percentile < trust.min_noise_percentile:
        return f"noise percentile {found.noise_percentile:.4f} is below {trust.min_noise_percentile:.4f}"
    if found.noise_percentile > trust.max_noise_percentile:
        return f"noise percentile {found.noise_percentile:.4f} is above {trust.max_noise_percentile:.4f}"
    if found.round_trip_rms > trust.max_round_trip:
        return f"round trip {found.round_trip_rms:.3f} is above {trust.max_round_trip:.3f}"
    if found.agreement < trust.min_agreement:
        return f"agreement with the direction {found.agreement:.2f} is below {trust.min_agreement:.2f}"
    if found.fixed_point_residual > trust.max_residual:
        return f"fixed-point residual {found.fixed_point_residual:.2g} is above {trust.max_residual:.2g}"
    return ""
