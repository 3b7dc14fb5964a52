"""Joint states that stand still: when they are believed, and when not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from arm_bench import PERIOD, Bench
from hypothesis import given
from hypothesis import strategies as st

from frs_steering.arm.reading import Reading
from frs_steering.arm.states import State
from frs_steering.arm.stillness import LIMIT, MOVING, Stillness
from frs_steering.arm.verdicts import Reason

HERE, SLOW, FAST = np.zeros(7), np.full(7, MOVING / 2), np.full(7, 0.5)


def watched(*steps: tuple[np.ndarray, np.ndarray], silent: Sequence[int] = ()) -> list[bool]:
    stillness, stuck = Stillness(), []
    for i, (position, velocity) in enumerate(steps):
        stillness = stillness.watched(position, velocity, i * LIMIT / 2.5, news=i not in silent)
        stuck.append(stillness.stuck)
    return stuck


def test_an_arm_that_rests_or_creeps_may_stand_still() -> None:
    assert not any(watched(*[(HERE, SLOW)] * 100))


def test_a_moving_arm_that_is_read_at_the_same_place_is_stuck_after_the_limit() -> None:
    assert watched(*[(HERE, FAST)] * 5) == [False, False, False, True, True]


def test_readings_that_stay_away_say_nothing() -> None:
    assert watched(*[(HERE, FAST)] * 6, silent=range(1, 5)) == [False] * 5 + [True]


def test_time_at_rest_does_not_count() -> None:
    assert watched(*[(HERE, SLOW)] * 9, *[(HERE, FAST)] * 4) == [False] * 11 + [True] * 2


def test_time_at_rest_does_not_count_either_where_readings_stay_away() -> None:
    assert watched(*[(HERE, SLOW)] * 9, *[(HERE, FAST)] * 4, silent=range(1, 9)) == [False] * 11 + [True] * 2


def test_it_lasts_at_rest_until_another_place_is_read() -> None:
    stuck = [(HERE, FAST)] * 4
    assert watched(*stuck, *[(HERE, SLOW)] * 9, (HERE + 1e-12, SLOW)) == [False] * 3 + [True] * 10 + [False]


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=50, unique=True))
def test_encoders_that_never_say_the_same_twice_are_never_stuck(places: list[float]) -> None:
    assert not any(watched(*[(np.full(7, place), FAST) for place in places]))


def test_joint_states_that_repeat_themselves_while_the_arm_moves_are_a_fault() -> None:
    """A driver that hangs behind a living publisher: the gate would take the arm to be where it was."""
    bench = Bench().claimed()
    bench.send(1, speed=0.3)
    bench.steps(3)
    frozen = bench.position.copy()
    for _ in range(20):
        bench.ticks, bench.now = bench.ticks + 1, bench.now + PERIOD
        bench.execution.observe(Reading(frozen, bench.velocity, 0.0), bench.now)
        outcome = bench.execution.tick(bench.ticks, bench.now)
        bench.send(bench.ticks + 10, speed=0.3)
    assert (outcome.state, outcome.reason) == (State.FAULT, Reason.STATE_STALE)
    assert "say the same though the arm was told to move" in outcome.message
    assert not outcome.velocity.any()
    assert bench.send(99).reason is Reason.STATE_STALE
    bench.position = frozen + 1e-9
    assert bench.step().state is State.HOLDING, "another reading, and it is over"


def test_an_arm_at_rest_may_be_read_at_the_same_place_for_ever() -> None:
    bench = Bench().claimed()
    assert {outcome.state for outcome in bench.steps(60)} == {State.ARMED}
    bench.send(1)
    assert bench.steps(2)[-1].state is State.RUNNING
