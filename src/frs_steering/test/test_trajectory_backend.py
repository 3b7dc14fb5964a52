"""What a joint trajectory controller makes of the commands between two control steps."""

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from frs_steering.arm.backends.interface import Command
from frs_steering.nodes.trajectory_backend import target

PERIOD = 1 / 15


@given(changes=hnp.arrays(np.float64, (12, 7), elements=st.floats(-1, 1)))
def test_its_cubics_hold_the_acceleration_that_the_gate_allowed(changes: np.ndarray) -> None:
    """As in ros2_controllers: from one point's position and velocity to the next one's, by a cubic."""
    most = 8.0
    velocities = np.cumsum(changes * most * PERIOD, axis=0)
    positions = np.cumsum(velocities * PERIOD, axis=0)
    points = [target(Command(v, p), PERIOD) for v, p in zip(velocities, positions, strict=True)]
    for before, after, v0, v1 in zip(points, points[1:], velocities, velocities[1:], strict=False):
        mean = (after - before) / PERIOD
        at_its_begin = (6 * mean - 4 * v0 - 2 * v1) / PERIOD
        at_its_end = (2 * v0 + 4 * v1 - 6 * mean) / PERIOD
        assert np.abs([at_its_begin, at_its_end]).max() <= most + 1e-6


def test_at_rest_the_target_is_the_commanded_position() -> None:
    position = np.arange(7.0)
    np.testing.assert_array_equal(target(Command(np.zeros(7), position), PERIOD), position)
