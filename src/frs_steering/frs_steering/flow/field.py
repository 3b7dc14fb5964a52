"""The velocity field: the one thing the method asks of a policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:  # nothing here needs torch itself: a process that only names methods starts without it
    from torch import Tensor

VelocityField: TypeAlias = "Callable[[Tensor, Tensor], Tensor]"
"""v = field(x, t): dx/dt of the policy's flow, given one observation.

x: (B, H, D) chunks in the policy's normalised space, float32 or bfloat16.
t: (B,) float32 in [0, 1]. As in the paper, t = 0 is noise and t = 1 is the action; a policy that runs
   the other way is turned round by its adapter.
v: (B, H, D); float32 or bfloat16.
"""


def time_reversed(field: VelocityField) -> VelocityField:
    """The field of a policy whose own time runs from 1 (noise) to 0 (action), as openpi's and LeRobot's do."""
    return lambda x, t: -field(x, 1.0 - t)


class CountedField:
    """A field that counts its evaluations: one for each sample of a batch, each time it is called."""

    def __init__(self, field: VelocityField) -> None:
        self.field = field
        self.evaluations = 0

    def __call__(self, x: Tensor, t: Tensor) -> Tensor:
        """See VelocityField."""
        self.evaluations += x.shape[0]
        return self.field(x, t)
