"""How a chunk came out of the flow: numbers by which a decision can be trusted or deferred."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Diagnostics:
    """Of one decision. NaN: not applicable.

    Attributes:
        noise_percentile: 0..1, percentile of the norm of the noise under chi with as many degrees of freedom as it has
            numbers: of what was recovered for the commanded latents; where nothing was reversed, of all that was used.
        round_trip_rms: RMS over commanded dimensions of refined - reference, normalised, of the rows that are driven.
        agreement: -1..1, cosine between the refined chunk's motion of the TCP and the reference's, over those rows.
        evaluations: velocity-field evaluations spent, one for each sample of a batch.
        fixed_point_residual: RMS, normalised, of the worst step of a fixed-point inversion.
        fixed_point_fallbacks: steps of it that are plain Euler steps, no iterate being much better.
    """

    noise_percentile: float = math.nan
    round_trip_rms: float = math.nan
    agreement: float = math.nan
    evaluations: int = 0
    fixed_point_residual: float = math.nan
    fixed_point_fallbacks: int = 0


def noise_percentile(noise: Tensor) -> float:
    """Percentile (0..1) of the noise's norm under the chi distribution with as many degrees of freedom as numbers.

    Noise from N(0, I) is uniform here; close to 1 means that the noise is too long to be in distribution,
    close to 0 that it is too short.
    P(chi_n <= r) = gammainc(n/2, r^2/2), the regularised lower incomplete gamma function.
    """
    import torch  # here, so that a process that only reads diagnostics starts without it

    half = torch.tensor(noise.numel() / 2, dtype=torch.float64)
    # On the CPU: not every device knows float64.
    return float(torch.special.gammainc(half, noise.cpu().double().square().sum() / 2))


def round_trip_rms(refined: Tensor, reference: Tensor, mask: Tensor) -> float:
    """RMS of refined - reference over the commanded dimensions. Both (n, D) normalised; mask (D,) bool."""
    return float((refined.float() - reference.float())[:, mask].square().mean().sqrt())


def agreement(refined: np.ndarray, reference: np.ndarray) -> float:
    """Cosine between two translations (3,) of the TCP, see `motion.translation`; NaN where one is at rest."""
    lengths = float(np.linalg.norm(refined) * np.linalg.norm(reference))
    return float(refined @ reference) / lengths if lengths > 1e-12 else math.nan
