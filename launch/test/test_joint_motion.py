"""The figure that the tests of the whole graph rest on: when the arm came to rest."""

from __future__ import annotations

import pytest
from joint_motion import STAYS, Heard, rest_after
from sensor_msgs.msg import JointState

MOMENT = 1_000_000_000  # ns
PERIOD = 0.01  # s


def joints(*speeds: float, slowness: float = 1.0) -> list[Heard]:
    """Joint states from MOMENT on, of a simulation that takes `slowness` times as long as it should."""
    heard = []
    for i, speed in enumerate(speeds):
        state = JointState(velocity=[0.0] * 6 + [speed, 9.0])  # the last is a finger's
        state.header.stamp.nanosec = round(i * PERIOD * 1e9)
        heard.append(Heard(MOMENT + round(i * PERIOD * slowness * 1e9), state))
    return heard


def test_the_robots_clock_counts_from_the_moment_to_rest() -> None:
    stop = joints(*[0.5] * 20, *[0.0] * 20)
    assert rest_after(stop, MOMENT) == pytest.approx(0.2)
    assert rest_after(stop, MOMENT + 50_000_000) == pytest.approx(0.15)
    assert rest_after(joints(*[-0.5] * 20, *[0.0] * 20, slowness=3.0), MOMENT) == pytest.approx(0.2)


def test_rest_must_last() -> None:
    swings = joints(*[0.5] * 10, *[0.0] * 5, *[0.5] * 5, *[0.0] * 20)
    assert rest_after(swings, MOMENT) == pytest.approx(0.2)
    assert rest_after(joints(*[0.5] * 10, *[0.0] * round(STAYS / PERIOD)), MOMENT) is None
    assert rest_after([], MOMENT) is None
