"""The velocity field: the one thing the method asks of a policy."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

VelocityField = Callable[[Tensor, Tensor], Tensor]
"""v = field(x, t): dx/dt of the policy's flow, given one observation.

x: (B, H, D) float32 chunks in the policy's normalised space.
t: (B,) float32 in [0, 1]. As in the paper, t = 0 is noise and t = 1 is the action; a policy that runs
   the other way is turned round by its adapter.
v: (B, H, D) float32.
"""


def time_reversed(field: VelocityField) -> VelocityField:
    """The field of a policy whose own time runs from 1 (noise) to 0 (action), as openpi's and LeRobot's do."""
    return lambda x, t: -field(x, 1.0 - t)
