"""Fields whose exact flow or velocity is known, for the tests of the mathematics."""

from __future__ import annotations

import torch
from torch import Tensor

H, D = 2, 3
MEAN, SPREAD = 0.7, 0.3


def gaussian_field(x: Tensor, t: Tensor) -> Tensor:
    """Field of the rectified flow from N(0, 1) to N(MEAN, SPREAD^2), whose flow is known in closed form.

    x_t = (1 - t) z + t (MEAN + SPREAD w) with z, w from N(0, 1): its scale is s(t) = sqrt((1-t)^2 + (t SPREAD)^2)
    and the exact flow of z is t MEAN + s(t) z.
    """
    t = t[:, None, None]
    s = ((1 - t) ** 2 + (t * SPREAD) ** 2).sqrt()
    slope = (t * SPREAD**2 - (1 - t)) / s
    return MEAN + slope / s * (x - t * MEAN)


def mixture_field(x: Tensor, t: Tensor) -> Tensor:
    """Field of the rectified flow from N(0, I) to two narrow modes at -1 and +1 (all entries), by their posterior."""
    t = t[:, None, None]
    centres, spread = torch.tensor([-1.0, 1.0]), 0.4
    variance = (1 - t) ** 2 + (t * spread) ** 2
    distance = torch.stack([((x - t * c) ** 2 / (2 * variance)).sum((1, 2)) for c in centres], -1)
    weight = torch.softmax(-distance, -1)[:, None, None, :]
    gain = (t * spread**2 - (1 - t)) / variance
    each = torch.stack([c + gain * (x - t * c) for c in centres], -1)
    return (weight * each).sum(-1)


MODES = ((0.3, -1.0, 0.4), (0.7, 0.8, 0.3))
"""Weight, mean and spread of each mode of `modes_field`."""


def modes_field(x: Tensor, t: Tensor) -> Tensor:
    """Field of the rectified flow from N(0, 1) to a mixture of MODES, each entry for itself: see `modes_flow`.

    At t the mixture's modes are N(t mean, (1 - t)^2 + (t spread)^2); the velocity is that of each mode's own flow,
    weighted by how likely the mode is at x.
    """
    weight, mean, spread = _modes(x)
    t = t.to(x)[:, None, None, None]
    variance = (1 - t) ** 2 + (t * spread) ** 2
    off = x[..., None] - t * mean
    share = torch.softmax(weight.log() - off**2 / (2 * variance) - variance.log() / 2, -1)
    return (share * (mean + (t * spread**2 - (1 - t)) / variance * off)).sum(-1)


def modes_flow(z: Tensor, t: float = 1.0) -> Tensor:
    """Where the flow of `modes_field` brings noise by time t: exactly, without the field.

    On a line no two paths cross, so a path keeps its quantile: x is where the mixture at t has as much below it as
    N(0, 1) has below z. Found by bisection in float64.
    """
    wanted = torch.special.ndtr(z.double())
    weight, mean, spread = _modes(wanted)
    scale = ((1 - t) ** 2 + (t * spread) ** 2).sqrt()
    low, high = torch.full_like(wanted, -20.0), torch.full_like(wanted, 20.0)
    for _ in range(60):
        middle = (low + high) / 2
        below = (weight * torch.special.ndtr((middle[..., None] - t * mean) / scale)).sum(-1)
        low, high = torch.where(below < wanted, middle, low), torch.where(below < wanted, high, middle)
    return ((low + high) / 2).to(z)


def _modes(like: Tensor) -> Tensor:
    return like.new_tensor(MODES).T


def noise(seed: int, batch: int = 5) -> Tensor:
    return torch.randn((batch, H, D), generator=torch.Generator().manual_seed(seed))


def narrow_field(x: Tensor, t: Tensor) -> Tensor:
    """Field of the rectified flow from N(0, I) to N(0.5, 0.01^2): too steep near t = 1 for a fixed point."""
    t = t[:, None, None]
    variance = (1 - t) ** 2 + (t * 0.01) ** 2
    return 0.5 + (t * 0.01**2 - (1 - t)) / variance * (x - t * 0.5)


def flipped(x: Tensor, t: Tensor) -> Tensor:
    """The mixture's field with time the wrong way round: what an adapter would give that forgot to turn it."""
    return mixture_field(x, 1.0 - t)
