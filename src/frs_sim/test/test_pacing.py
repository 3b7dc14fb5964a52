"""Keeping time: deadlines do not drift, lateness is made up for only so far, beats fall on the nearest step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frs_sim.pacing import MAX_CATCH_UP, Beat, Pacer


class Wall:
    """A clock that moves when it is slept on or held up."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.time += seconds


@given(st.floats(0.1, 10.0), st.lists(st.floats(0.0, 0.009), min_size=1, max_size=200))
def test_small_delays_do_not_add_up(factor: float, work: list[float]) -> None:
    wall = Wall()
    pacer = Pacer(factor, wall.now, wall.sleep)
    for count, seconds in enumerate(work, 1):
        wall.time += seconds / factor
        assert pacer.wait_until(0.01 * count) == 0.0
        assert wall.time == pytest.approx(1000.0 + 0.01 * count / factor)


def test_a_long_delay_is_not_caught_up_with() -> None:
    wall = Wall()
    pacer = Pacer(1.0, wall.now, wall.sleep)
    wall.time += 2.01  # held up for two seconds
    assert pacer.wait_until(0.01) == pytest.approx(2.0 - MAX_CATCH_UP)
    while wall.time <= 1002.01:  # runs without sleeping until it has made up for the rest
        simulated = 0.01
        for _ in range(20):
            simulated += 0.01
            pacer.wait_until(simulated)
    assert wall.time - 1000.0 - simulated == pytest.approx(2.0 - MAX_CATCH_UP)


def test_free_running_never_sleeps() -> None:
    wall = Wall()
    assert Pacer(0.0, wall.now, wall.sleep).wait_until(1e6) == 0.0
    assert wall.time == 1000.0


@given(st.sampled_from([1.0, 15.0, 30.0, 60.0, 100.0]), st.integers(1, 30))
def test_a_beat_keeps_its_rate(rate: float, seconds: int) -> None:
    beat, timestep = Beat(rate, 0.002), 0.002
    steps = [step for step in range(1, round(seconds / timestep) + 1) if beat.due(step)]
    assert len(steps) == round(rate * seconds)
    for count, step in enumerate(steps, 1):
        assert step * timestep == pytest.approx(count / rate, abs=timestep / 2 + 1e-9)
