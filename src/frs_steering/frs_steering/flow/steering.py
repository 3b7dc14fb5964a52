"""Flow reversal steering: the method."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from frs_steering.flow.field import VelocityField
from frs_steering.flow.integrate import denoise, reverse


@dataclass(frozen=True)
class Steered:
    """What one steering gave. All (B, H, D), normalised space."""

    noise_recovered: Tensor
    noise_used: Tensor
    chunk: Tensor


def steer(field: VelocityField, reference: Tensor, mask: Tensor, fresh: Tensor, steps: int) -> Steered:
    """Refine a rough reference chunk into one of the policy's own.

    Args:
        field: the policy's velocity field for one observation.
        reference: (B, H, D) rough chunk, normalised.
        mask: (D,) bool, the dimensions that the guidance commands; the others are delegated.
        fresh: (B, H, D) noise from N(0, I) for the delegated dimensions.
        steps: K, Euler steps each way; 10 in the paper.
    """
    recovered = reverse(field, reference, steps)
    used = delegate(recovered, mask, fresh)
    refined = denoise(field, used, steps)
    return Steered(recovered, used, refined)


def delegate(noise: Tensor, mask: Tensor, fresh: Tensor) -> Tensor:
    """Keep the recovered latents of commanded dimensions and give the rest back to the policy.

    The paper does this for padding dimensions; doing it for every un-commanded dimension lets the policy
    choose its own rotation and gripper around the commanded translation.
    """
    return torch.where(mask, noise, fresh)
