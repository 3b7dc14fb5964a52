"""What comes of a control step."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from frs_steering.arm.backends.interface import Command
from frs_steering.arm.reading import Reading
from frs_steering.arm.states import State
from frs_steering.arm.verdicts import Reason, Verdict

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of one control step.

    Attributes:
        state: after the step.
        message: the state in words.
        chunk_id: of the chunk that drove, 0 if none.
        row: of that chunk, -1 if none.
        lease_remaining: of that chunk [s], 0 if none.
        owner: its name, empty if none.
        epoch: the owner's, 0 if none.
        verdict: the gate's, or HELD.
        reason: for the verdict.
        detail: the same in words.
        requested: joint velocities asked for (7,) [rad/s]; zero while nothing drives.
        command: for the arm's backend; None while the arm is nobody's and rests.
        velocity: joint velocities commanded (7,) [rad/s].
        gripper: commanded last, 0 open .. 1 closed.
        grip: for the gripper's backend, 0 open .. 1 closed; None while the gripper is to stay as it is.
        reading: what was last measured, None if nothing yet.
        stale: why that can't be gone by, in words; empty if it can.
        doubt: why the joint states that come are not believed, in words; empty where they are, or none come.
        ticks_driven: steps on which a chunk drove, since the last claim.
        ticks_starved: steps on which a chunk was due and no row was there, missed steps among them, since the last
            claim. Chunks are due from the owner's first driven row on, until it lets go, a stop, or a new claim.
        gate_duration: time for the row and the gate [s].
    """

    state: State
    message: str
    chunk_id: int
    row: int
    lease_remaining: float
    owner: str
    epoch: int
    verdict: Verdict
    reason: Reason
    detail: str
    requested: Array
    command: Command | None
    velocity: Array
    gripper: float
    grip: float | None
    reading: Reading | None
    stale: str
    doubt: str
    ticks_driven: int
    ticks_starved: int
    gate_duration: float
