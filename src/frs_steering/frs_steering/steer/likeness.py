"""Whether a chunk is one that the policy would make: its denoising error, and where that lies among the policy's own.

A chunk is mixed with noise, and the policy is asked which chunk is behind the mixture: x_t = (1 - t) e + t x is
answered by x_t + (1 - t) v(x_t, t). The RMS difference from x, over fixed times and seeded draws of e, is small for
what the policy was trained on under this observation and large for what it was not. It is the loss of flow matching,
||v - (x - e)||^2, with the weight (1 - t)^2; the diffusion loss as a stand-in for likelihood is that of "Your
Diffusion Model is Secretly a Zero-Shot Classifier" (Li et al., arXiv 2303.16203).

Its limits: it is no density, only compared with scores under the same observation, draws and times it means anything;
plain chunks score better than their rarity deserves (a chunk at rest is easy to guess); and a chunk between two modes
that lie close together scores well, because the policy's guess lies there too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from frs_steering.flow.integrate import at, denoise
from frs_steering.policies.interface import Observation, Policy

if TYPE_CHECKING:
    from torch import Tensor

    from frs_steering.flow import VelocityField

TIMES = (0.2, 0.4, 0.6, 0.8)
"""Close to 0 the mixture says nothing of the chunk, close to 1 it gives it away."""
DRAWS = 8
"""Of noise at each time."""


def denoising_error(
    field: VelocityField, chunks: Tensor, *, times: Sequence[float] = TIMES, draws: int = DRAWS, seed: int = 0
) -> Tensor:
    """RMS error of the policy's guesses of each chunk; the same times and draws for every chunk.

    Args:
        field: the policy's velocity field for one observation.
        chunks: (B, H, D), normalised.
        times: at which the chunk is mixed with noise.
        draws: of noise at each time; the cost is B * times * draws evaluations, in batches of B * draws.
        seed: of the draws.

    Returns:
        (B,) normalised.
    """
    generator = torch.Generator().manual_seed(seed)
    count, horizon, dim = chunks.shape
    total = chunks.float().new_zeros(count)  # also where chunks are not: three digits would make ties
    for t in times:
        noise = torch.randn((draws, horizon, dim), generator=generator).to(chunks)
        mixed = (1.0 - t) * noise + t * chunks[:, None]
        x = mixed.flatten(0, 1)
        guessed = (x + (1.0 - t) * field(x, at(t, x))).view_as(mixed)
        total += (guessed - chunks[:, None]).float().square().mean((1, 2, 3))
    return (total / len(times)).sqrt()


@torch.inference_mode()
def likeness(
    policy: Policy, observation: Observation, chunks: np.ndarray, *, samples: int = 64, steps: int = 10, seed: int = 0
) -> np.ndarray:
    """Share of the policy's own chunks under an observation that have a smaller denoising error than each of these.

    A chunk is called in distribution where this is at most 0.95: below the base policy's 95th percentile.

    Args:
        policy: the frozen policy.
        observation: what it sees; encoded once.
        chunks: (B, H, D) SI.
        samples: of the base policy to compare with.
        steps: K of the base policy's sampler.
        seed: of the samples and the draws, which come from streams of their own.

    Returns:
        (B,) in 0 .. 1.
    """
    field = policy.field(policy.encode(policy.prepare(observation)))
    generator = torch.Generator().manual_seed(seed)
    given = policy.normalise(torch.as_tensor(chunks).float())
    shape = (samples, policy.spec.horizon, policy.spec.dim)
    own = denoise(field, torch.randn(shape, generator=generator).to(given), steps)
    # What is driven is what counts: the policy's chunks, too, pass through SI units, where the gripper is clipped.
    own = policy.normalise(policy.denormalise(own))
    # Not by the seed of the samples again: some would be scored with the very noise that they were made from.
    draws = int(torch.randint(2**62, (), generator=generator))
    errors = denoising_error(field, torch.cat([own, given]), seed=draws).cpu()
    return (errors[:samples] < errors[samples:, None]).double().mean(1).numpy()
