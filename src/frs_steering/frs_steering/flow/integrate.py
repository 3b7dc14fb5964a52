"""Denoise and reverse: the policy's flow integrated forwards and backwards by Euler's method.

Source: Flow Reversal Steering (arXiv 2606.13675): x += v/K from noise to action, x -= v/K from action to noise.
The round trip is lossy at small K on purpose: the loss pulls a coarse reference to a nearby mode of the policy.
"""

from __future__ import annotations

import torch
from torch import Tensor

from frs_steering.flow.field import VelocityField


def denoise(field: VelocityField, noise: Tensor, steps: int) -> Tensor:
    """Integrate from noise (t = 0) to the action chunk (t = 1).

    Args:
        field: the policy's velocity field for one observation.
        noise: (B, H, D) float32.
        steps: K, the number of Euler steps.

    Returns:
        (B, H, D) chunk in the policy's normalised space.
    """
    x = noise
    for k in range(steps):
        x = x + field(x, _time(k / steps, x)) / steps
    return x


def reverse(field: VelocityField, chunk: Tensor, steps: int) -> Tensor:
    """Integrate from an action chunk (t = 1) back to the latent noise behind it (t = 0).

    Args:
        field: the policy's velocity field for one observation.
        chunk: (B, H, D) float32, normalised.
        steps: K, the number of Euler steps.

    Returns:
        (B, H, D) noise.
    """
    x = chunk
    for k in range(steps, 0, -1):
        x = x - field(x, _time(k / steps, x)) / steps
    return x


def _time(t: float, x: Tensor) -> Tensor:
    return torch.full((x.shape[0],), t, dtype=x.dtype, device=x.device)
