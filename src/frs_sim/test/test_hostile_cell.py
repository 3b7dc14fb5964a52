"""Ten thousand hostile chunks to the simulated arm, and by its own state it exceeds no limit."""

from __future__ import annotations

import numpy as np
import pytest
from hostile_chunks import PERIOD, SPACES, drive, measured_breaches

from frs_sim.cell import Cell
from frs_steering.robot.spaces import ActionSpace

CHUNKS = 3400  # in each space


class SimulatedArm:
    """The arm of a cell, in real physics: with servos that lag, and things that it may run into."""

    simulated = True

    def __init__(self) -> None:
        self._cell = Cell("egg_on_plate", 0)

    def move(self, velocity: np.ndarray) -> None:
        """See `hostile_chunks.Arm`."""
        self._cell.send(velocity)
        self._cell.advance(PERIOD)

    def measure(self) -> tuple[np.ndarray, np.ndarray]:
        """See `hostile_chunks.Arm`."""
        return self._cell.joint_position, self._cell.joint_velocity


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")  # rows of 1e300
@pytest.mark.parametrize("space", SPACES)
def test_hostile_chunks_to_the_simulated_arm_exceed_no_limit(space: ActionSpace) -> None:
    trace = drive(int(space), CHUNKS, space, arm=SimulatedArm())
    assert trace.accepted > CHUNKS / 10, "a test in which nothing drives shows nothing"
    positions, velocities = trace.measured.swapaxes(0, 1)
    assert np.ptp(positions, axis=0).max() > 1.0, "the arm got about"
    assert not measured_breaches(positions, velocities)
