"""What a source costs and how its reversal went, measured from outside of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from frs_steering.flow import FixedPoint, Integrator, Inversion, VelocityField, invert

if TYPE_CHECKING:
    from torch import Tensor


class Meter:
    """An integrator that is timed, and whose inversion's residuals are kept."""

    def __init__(self, integrator: Integrator) -> None:
        self._integrator = integrator
        self.reversing = 0.0  # s
        self.denoising = 0.0  # s
        self.inversion: Inversion | None = None

    def denoise(self, field: VelocityField, noise: Tensor, steps: int, start: float = 0.0) -> Tensor:
        """See `flow.denoise`."""
        begun = time.perf_counter()
        chunk = self._integrator.denoise(field, noise, steps, start)
        self.denoising += time.perf_counter() - begun
        return chunk

    def reverse(self, field: VelocityField, chunk: Tensor, steps: int, end: float = 0.0) -> Tensor:
        """See `flow.reverse`."""
        begun = time.perf_counter()
        if isinstance(self._integrator, FixedPoint):
            self.inversion = invert(field, chunk, steps, end, self._integrator.iterations)
            noise = self.inversion.noise
        else:
            noise = self._integrator.reverse(field, chunk, steps, end)
        self.reversing += time.perf_counter() - begun
        return noise
