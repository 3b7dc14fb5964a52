"""How chunks are executed."""

from __future__ import annotations

import dataclasses

from frs_steering.arm.limits import Limits
from frs_steering.robot.spaces import ActionSpace


@dataclasses.dataclass(frozen=True)
class Settings:
    """How chunks are executed.

    Attributes:
        space: the controller's action space; chunks of another are rejected.
        frame: of Cartesian rows.
        period: of a control step [s].
        lease_max: longest lease of a chunk [s].
        state_timeout: age at which joint states are stale [s].
        first_epoch: of the first claim; greater than any epoch granted before, also by an earlier process.
        limits: that the gate holds.
        simulated: the arm can be set elsewhere at once, and its target may jump with it. A robot's arm can't, so joint
            states that say so are a fault.
        starts_stopped: begin in a stop, which only `reset` ends: a stop, or a fault that only `recover` ends, must not
            be over because this process died and was started again.
    """

    space: ActionSpace
    frame: str
    period: float
    lease_max: float
    state_timeout: float
    first_epoch: int
    limits: Limits
    simulated: bool = False
    starts_stopped: bool = False
