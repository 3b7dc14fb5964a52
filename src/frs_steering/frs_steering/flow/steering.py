"""Flow reversal steering: the method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from frs_steering.flow.integrators import EULER, Integrator

if TYPE_CHECKING:
    from torch import Tensor

    from frs_steering.flow.field import VelocityField


@dataclass(frozen=True)
class Steered:
    """What one steering gave. All (B, H, D), normalised space."""

    noise_recovered: Tensor
    noise_used: Tensor
    chunk: Tensor


def steer(
    field: VelocityField,
    reference: Tensor,
    mask: Tensor,
    fresh: Tensor,
    steps: int,
    integrator: Integrator = EULER,
    alter: Callable[[Tensor], Tensor] = lambda noise: noise,
) -> Steered:
    """Refine rough reference chunks into the policy's own.

    Args:
        field: the policy's velocity field for one observation.
        reference: (B, H, D) rough chunks, normalised.
        mask: bool, broadcast to (B, H, D): what the guidance commands; the rest is delegated.
        fresh: (B, H, D) or (1, H, D) noise from N(0, I) for the delegated dimensions.
        steps: K, steps each way; 10 in the paper.
        integrator: of both ways.
        alter: what is done to the recovered noise before it is used: a projection, added noise.
    """
    recovered = integrator.reverse(field, reference, steps)
    used = delegate(alter(recovered), mask, fresh)
    refined = integrator.denoise(field, used, steps)
    return Steered(recovered, used, refined)


def delegate(noise: Tensor, mask: Tensor, fresh: Tensor) -> Tensor:
    """Keep the recovered latents of what is commanded and give the rest back to the policy.

    The paper does this for padding dimensions; doing it for every un-commanded dimension lets the policy
    choose its own rotation and gripper around the commanded translation.
    """
    return noise.where(mask, fresh)
