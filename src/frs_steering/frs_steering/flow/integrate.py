"""Denoise and reverse: the policy's flow integrated forwards and backwards by Euler's method.

Source: Flow Reversal Steering (arXiv 2606.13675): x += v/K from noise to action, x -= v/K from action to noise.
The round trip is lossy at small K on purpose: the loss pulls a coarse reference to a nearby mode of the policy.

Other integrators (`midpoint`, `fixed_point`) have the same two functions. All work on any batch, in float32 or
bfloat16. The field is asked in the precision of what they are given; the sum over the steps is kept in float32, because
a small step is lost in the three digits of bfloat16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from frs_steering.flow.field import VelocityField


def denoise(field: VelocityField, noise: Tensor, steps: int, start: float = 0.0) -> Tensor:
    """Integrate from noise (t = 0) to the action chunk (t = 1).

    Args:
        field: the policy's velocity field for one observation.
        noise: (B, H, D).
        steps: K, the number of Euler steps from `start` to 1; as many evaluations a sample.
        start: time at which `noise` is; above 0 it is a chunk on its way.

    Returns:
        (B, H, D) chunk in the policy's normalised space.
    """
    x, size = noise.float(), (1.0 - start) / steps
    for k in range(steps):
        x = x + field(x.to(noise.dtype), at(start + k * size, x)) * size
    return x.to(noise.dtype)


def reverse(field: VelocityField, chunk: Tensor, steps: int, end: float = 0.0) -> Tensor:
    """Integrate from an action chunk (t = 1) back to the latent noise behind it (t = 0).

    Args:
        field: the policy's velocity field for one observation.
        chunk: (B, H, D), normalised.
        steps: K, the number of Euler steps from 1 to `end`; as many evaluations a sample.
        end: time to stop at; above 0 the reversal is partial, and `denoise` goes on from there.

    Returns:
        (B, H, D) noise.
    """
    x, size = chunk.float(), (1.0 - end) / steps
    for k in range(steps, 0, -1):
        x = x - field(x.to(chunk.dtype), at(end + k * size, x)) * size
    return x.to(chunk.dtype)


def at(t: float, x: Tensor) -> Tensor:
    """The time t for each sample of a batch x: (B,) float32, also where x is not."""
    return x.float().new_full((x.shape[0],), t)
