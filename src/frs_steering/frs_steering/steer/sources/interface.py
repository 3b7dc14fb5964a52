"""What a source is: a way to make the policy's chunks from a reference, from a noise, or from nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from frs_steering.flow import Integrator, Parameterisation, VelocityField
    from frs_steering.steer.method import Method


@dataclass(frozen=True)
class Problem:
    """What a source works on: B references (or noises) under one observation. All in the policy's normalised space.

    Attributes:
        field: the policy's velocity field under the observation.
        integrator: the method's.
        parameterisation: of noise, the method's.
        fresh: fresh(n) draws (n, H, D) noise of the parameterisation from the decision's seed. It does not depend on
            B: each reference of a batch meets the noise that it would meet alone.
        count: B.
        execute_rows: rows of a chunk that are driven before the next one takes over.
        rest: (H, D), the chunk that keeps the arm at rest and the gripper as it is.
        reference: (B, H, D) rough chunks, for a source that needs one; else None.
        mask: (B, 1, D) bool, commanded dimensions, with the reference; else None.
        noise: (B, H, D), for a source that needs one; else None.
    """

    field: VelocityField
    integrator: Integrator
    parameterisation: Parameterisation
    fresh: Callable[[int], Tensor]
    count: int
    execute_rows: int
    rest: Tensor
    reference: Tensor | None = None
    mask: Tensor | None = None
    noise: Tensor | None = None

    @property
    def guided(self) -> tuple[Tensor, Tensor]:
        """The reference and its mask; a source that says that it needs one has them."""
        assert self.reference is not None and self.mask is not None, "a source that needs a reference is given one"
        return self.reference, self.mask

    def commanded(self, method: Method) -> Tensor:
        """The latents (B, H, D), bool, that the references command by a method; the others are delegated."""
        _, mask = self.guided
        return mask.new_tensor(method.commanded(mask.cpu().numpy(), len(self.rest), self.execute_rows))


@dataclass(frozen=True)
class Made:
    """What a source made. All (B, H, D), normalised.

    Attributes:
        chunk: that is to be driven.
        noise_used: it was denoised from; None where it was not.
        noise_recovered: from the reference; None where nothing was reversed.
    """

    chunk: Tensor
    noise_used: Tensor | None = None
    noise_recovered: Tensor | None = None


@dataclass(frozen=True)
class Source:
    """One way to make chunks.

    Attributes:
        make: does it.
        settings: those of Method that it takes.
        needs_reference: it follows a reference and its mask.
        needs_noise: it is given its noise from outside.
        noise_makes_chunk: its chunk is nothing but its noise denoised, so that the same noise makes it again.
    """

    make: Callable[[Problem, Method], Made]
    settings: tuple[str, ...]
    needs_reference: bool = True
    needs_noise: bool = False
    noise_makes_chunk: bool = True
