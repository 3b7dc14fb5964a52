"""Reverse by inverting the Euler sampler itself, step by step: to any precision where it contracts.

The K-step sampler maps x to y = x + v(x, t)/K. Given y, its x is a fixed point of x -> y - v(x, t)/K, found by
iteration (FlowDAgger, arXiv 2607.08877, inverts a policy's sampler so). The first iterate takes the velocity where the
step before ended, and is thus the very step that `integrate.reverse` makes; each further one costs one evaluation and,
where the iteration contracts, comes closer: by the factor L/K each, where L is how much the velocity changes a unit.
Where it does not (L > K, mostly close to the data), the Euler step is kept. How far the inversion came is its residual;
that no step fell back to Euler's says only that each came closer than that.

For precise references, such as demonstrated chunks. For coarse guidance the lossy round trip of Euler's method is the
method: exactness there gives noise that is longer, further out of distribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from frs_steering.flow import integrate
from frs_steering.flow.integrate import at

if TYPE_CHECKING:
    from torch import Tensor

    from frs_steering.flow.field import VelocityField


EXACT = 1e-6
"""RMS residual, normalised, below which there is nothing left to contract: the resolution of float32."""


CLOSER = 0.9
"""Share of the Euler step's residual below which some iterate must come, or the Euler step is kept. A policy that is
sure of its chunk makes the last step a projection (its velocity changes by K a unit): there the iteration swings for
ever."""


@dataclass(frozen=True)
class Inversion:
    """What an inversion of the sampler found.

    Attributes:
        noise: (B, H, D).
        residual: (B,) RMS of x + v(x, t)/K - y at the x found, normalised, of the worst step: how exact it is.
        fallbacks: (B,) steps in which no iterate was much better than Euler's, which was kept.
    """

    noise: Tensor
    residual: Tensor
    fallbacks: Tensor


def invert(field: VelocityField, chunk: Tensor, steps: int, end: float = 0.0, iterations: int = 5) -> Inversion:
    """Find the noise that `integrate.denoise` with the same steps turns into `chunk`.

    Args:
        field: the policy's velocity field for one observation.
        chunk: (B, H, D), normalised.
        steps: K of the sampler that is inverted.
        end: time to stop at.
        iterations: M a step; 1 is Euler's reversal. 1 + K M evaluations a sample, whatever comes out, so that a
            decision takes a known time.
    """

    def there(x: Tensor, t: Tensor) -> Tensor:  # in float32, whatever the field is asked in: as `integrate`
        return field(x.to(chunk.dtype), t).float()

    size = (1.0 - end) / steps
    x, velocity = chunk.float(), there(chunk, at(1.0, chunk))
    worst = x.new_zeros(len(x))
    fallbacks = worst.long()
    for k in range(steps - 1, -1, -1):
        found, fell_back = _step(there, x, velocity, end + k * size, size, iterations)
        x, velocity = found.x, found.velocity
        worst = worst.maximum(found.residual)
        fallbacks = fallbacks + fell_back
    return Inversion(x.to(chunk.dtype), worst, fallbacks)


@dataclass(frozen=True)
class FixedPoint:
    """This inversion as an integrator: `reverse` inverts what `denoise`, the Euler sampler, does."""

    iterations: int = 5

    def denoise(self, field: VelocityField, noise: Tensor, steps: int, start: float = 0.0) -> Tensor:
        """See `integrate.denoise`."""
        return integrate.denoise(field, noise, steps, start)

    def reverse(self, field: VelocityField, chunk: Tensor, steps: int, end: float = 0.0) -> Tensor:
        """See `invert`."""
        return invert(field, chunk, steps, end, self.iterations).noise


@dataclass(frozen=True)
class _Iterate:
    # x (B, H, D), the velocity there, and the RMS (B,) of what is missing from x + v(x, t) * size = y.
    x: Tensor
    velocity: Tensor
    residual: Tensor


def _iterate(field: VelocityField, y: Tensor, velocity: Tensor, t: float, size: float) -> _Iterate:
    x = y - velocity * size
    there = field(x, at(t, x))
    return _Iterate(x, there, ((there - velocity) * size).square().mean((1, 2)).sqrt())


def _step(
    field: VelocityField, y: Tensor, velocity: Tensor, t: float, size: float, iterations: int
) -> tuple[_Iterate, Tensor]:
    # One step back from y: each sample's best iterate, and for which samples (B,) it is Euler's for want of a better.
    euler = best = last = _iterate(field, y, velocity, t, size)
    for _ in range(iterations - 1):
        last = _iterate(field, y, last.velocity, t, size)
        better = last.residual < best.residual  # false for what is not finite
        best = _choose(better, last, best)
    if iterations == 1:
        return euler, euler.residual < 0.0  # nothing to fall back from
    stuck = (euler.residual > EXACT) & ~(best.residual < CLOSER * euler.residual)
    return _choose(stuck, euler, best), stuck


def _choose(first: Tensor, a: _Iterate, b: _Iterate) -> _Iterate:
    # For each sample a where `first` (B,) holds, else b.
    pick = first[:, None, None]
    return _Iterate(a.x.where(pick, b.x), a.velocity.where(pick, b.velocity), a.residual.where(first, b.residual))
