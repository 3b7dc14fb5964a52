"""An execution with an arm that obeys it, on a clock that the tests turn by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from frs_steering.arm.chunk import Chunk
from frs_steering.arm.execution import Execution
from frs_steering.arm.gate import Judgement
from frs_steering.arm.limits import Limits
from frs_steering.arm.outcome import Outcome
from frs_steering.arm.reading import Reading
from frs_steering.arm.settings import Settings
from frs_steering.robot.fr3 import BASE_FRAME, RESET_POSITION
from frs_steering.robot.spaces import ActionSpace

PERIOD = 1 / 15
SETTINGS = Settings(
    space=ActionSpace.CARTESIAN_VELOCITY,
    frame=BASE_FRAME,
    period=PERIOD,
    lease_max=1.5,
    state_timeout=0.25,
    first_epoch=40,
    limits=Limits(),
)


class Bench:
    """An execution with an arm that obeys it."""

    def __init__(self, **settings: bool) -> None:
        self.execution = Execution(dataclasses.replace(SETTINGS, **settings))
        self.now, self.ticks = 100.0, 0
        self.position, self.velocity, self.gripper = RESET_POSITION, np.zeros(7), 0.0
        self.measures = True
        self.epoch = 0

    def claimed(self) -> Bench:
        """With the arm claimed by `steering` and one step done."""
        self.step()
        self.epoch = self.execution.claim("steering", self.now).epoch
        return self

    def step(self, skip: int = 0) -> Outcome:
        """One control step; the arm moves at once as it is told."""
        self.ticks += 1 + skip
        self.now += PERIOD * (1 + skip)
        if self.measures:
            self.execution.observe(Reading(self.position, self.velocity, self.gripper), self.now)
        outcome = self.execution.tick(self.ticks, self.now)
        if outcome.command is not None:
            self.velocity = outcome.command.velocity
            self.position = self.position + self.velocity * PERIOD
        self.gripper = self.gripper if outcome.grip is None else outcome.grip
        return outcome

    def steps(self, count: int) -> list[Outcome]:
        return [self.step() for _ in range(count)]

    def send(self, chunk_id: int, speed: float = 0.1, **change: Any) -> Judgement:
        """Send a chunk along x that is due on the next step; two rows rather open, two rather closed, and so on."""
        rows = np.zeros((16, 7))
        rows[:, 0], rows[:, 6] = speed, np.where(np.arange(16) % 4 < 2, 0.3, 0.7)
        chunk = Chunk(
            chunk_id=chunk_id,
            epoch=self.epoch,
            space=int(ActionSpace.CARTESIAN_VELOCITY),
            frame=BASE_FRAME,
            horizon=16,
            dim=7,
            values=rows.ravel(),
            row_duration=PERIOD,
            first_tick=self.ticks + 1,
            lease=1.0,
        )
        return self.execution.admit(dataclasses.replace(chunk, **change), self.now)
