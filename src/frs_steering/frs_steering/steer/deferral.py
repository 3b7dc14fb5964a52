"""Whether a steered chunk can be trusted, or the policy should act alone."""

from __future__ import annotations

from dataclasses import dataclass

from frs_steering.steer.diagnostics import Diagnostics


@dataclass(frozen=True)
class Trust:
    """Limits beyond which a steered chunk is dropped. The defaults never are.

    Attributes:
        max_noise_percentile: 0..1; longer noise is out of the distribution that the policy was trained on.
        min_agreement: -1..1; below it the policy's prior has turned the motion away from the wish.
    """

    max_noise_percentile: float = 1.0
    min_agreement: float = -1.0


def reason_to_defer(diagnostics: Diagnostics, trust: Trust) -> str:
    """Why the chunk can't be trusted, in words; empty where it can. What is not applicable (NaN) is not judged."""
    if diagnostics.noise_percentile > trust.max_noise_percentile:
        return f"noise percentile {diagnostics.noise_percentile:.4f} is above {trust.max_noise_percentile:.4f}"
    if diagnostics.agreement < trust.min_agreement:
        return f"agreement with the direction {diagnostics.agreement:.2f} is below {trust.min_agreement:.2f}"
    return ""
