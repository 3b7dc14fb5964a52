"""Hostile chunks to the simulated arm, and by its own state it exceeds no limit; `make soak` sends ten thousand."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hostile_chunks import PERIOD, PUSHED, SPACES, Measured, Trace, drive, measured_breaches

from frs_sim.cell import Cell
from frs_steering.arm.backends.interface import WATCHDOG
from frs_steering.robot.spaces import ActionSpace

CHUNKS = int(os.environ.get("FRS_HOSTILE_CHUNKS", "400"))  # in each space
LOOK = 0.01  # s between two looks of the simulated driver at its watchdog, and at the joints
AT_REST = 0.005  # rad/s


class SimulatedArm:
    """The arm of a cell, in real physics: with servos that lag, and things that it may run into."""

    simulated = True

    def __init__(self) -> None:
        self._cell = Cell("egg_on_plate", 0)
        self._touched = -PUSHED

    def move(self, velocity: np.ndarray) -> None:
        """See `hostile_chunks.Arm`."""
        self._cell.send(velocity)
        self._advance(PERIOD)

    def measure(self) -> Measured:
        """See `hostile_chunks.Arm`."""
        pushed = self._cell.data.time - self._touched < PUSHED
        return self._cell.joint_position, self._cell.joint_velocity, pushed

    def lapse(self) -> tuple[float, list[Measured]]:
        """See `hostile_chunks.Abandoned`."""
        self._advance(WATCHDOG - PERIOD + LOOK)
        seen = [self.measure()]
        self._cell.send(np.zeros(7))
        while np.abs(self._cell.joint_velocity).max() > AT_REST:
            self._advance(LOOK)
            seen.append(self.measure())
        return WATCHDOG - PERIOD + LOOK * len(seen), seen

    def _advance(self, seconds: float) -> None:
        for _ in range(round(seconds / LOOK)):
            self._cell.advance(seconds / round(seconds / LOOK))
            if self._cell.touches_fixed():
                self._touched = self._cell.data.time


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")  # rows of 1e300
@pytest.mark.parametrize("space", SPACES)
def test_hostile_chunks_to_the_simulated_arm_exceed_no_limit(space: ActionSpace) -> None:
    trace = drive(int(space), CHUNKS, space, arm=SimulatedArm())
    assert trace.accepted > CHUNKS / 10, "a test in which nothing drives shows nothing"
    _assert_within_limits(trace)


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")  # rows of 1e300
@pytest.mark.parametrize("space", SPACES)
def test_where_the_controller_hangs_in_between_the_arm_exceeds_no_limit_either(space: ActionSpace) -> None:
    _assert_within_limits(drive(int(space) + 10, CHUNKS // 4, space, abandoned=SimulatedArm()))


def _assert_within_limits(trace: Trace) -> None:
    positions = np.array([position for position, _, _ in trace.measured])
    assert np.ptp(positions, axis=0).max() > 1.0, "the arm got about"
    assert not measured_breaches(trace.measured)
