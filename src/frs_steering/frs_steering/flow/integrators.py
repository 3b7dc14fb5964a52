"""The integrators by name. Each has `denoise` and `reverse`, as `integrate` (Euler) has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from frs_steering.flow import integrate, midpoint
from frs_steering.flow.fixed_point import FixedPoint

if TYPE_CHECKING:
    from torch import Tensor

    from frs_steering.flow.field import VelocityField


class Integrator(Protocol):
    """From noise to chunk and back."""

    def denoise(self, field: VelocityField, noise: Tensor, steps: int, start: float = 0.0) -> Tensor:
        """See `integrate.denoise`."""

    def reverse(self, field: VelocityField, chunk: Tensor, steps: int, end: float = 0.0) -> Tensor:
        """See `integrate.reverse`."""


EULER: Integrator = integrate

INTEGRATORS = ("euler", "midpoint", "fixed_point")


def integrator(name: str, iterations: int = 5) -> Integrator:
    """The integrator of a name; `iterations` a step are those of the fixed point.

    Raises:
        ValueError: the name is none of INTEGRATORS.
    """
    if name == "fixed_point":
        return FixedPoint(iterations)
    if name not in INTEGRATORS:
        raise ValueError(f"integrator is {name!r}; it must be one of {', '.join(INTEGRATORS)}")
    return EULER if name == "euler" else midpoint
