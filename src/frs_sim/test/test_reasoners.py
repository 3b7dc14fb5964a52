"""Reasoners: their names, and how often and how the noisy one errs."""

import dataclasses
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frs_sim.cell import Truth
from frs_sim.oracle import LESS
from frs_sim.reasoners import ReasonerChoice, ReasonerError, Situation, evenly, knowing, noisy, parse_reasoner
from frs_sim.tasks import HELD_OUT, TASKS
from frs_steering.policies import Observation
from frs_steering.steer.guidance import DIRECTIONS, GripperWish, Guidance, GuidanceSource

TASK = TASKS[HELD_OUT[0]]
TRUTH = Truth({}, {}, "", np.zeros(3), np.array([1.0, 0.0, 0.0, 0.0]), 0.0)
HERE = Situation(TASK, TRUTH, Observation({}, np.zeros(7), 0.0, (0.0, 0.0), TASK.instruction))
UP = Guidance(GuidanceSource.SCRIPTED, "test", direction=DIRECTIONS["+z"], amount=1.0, gripper=GripperWish.CLOSE)
LET = Guidance(GuidanceSource.SCRIPTED, "test", defer=True)


def always(wish: Guidance | None):
    def say(situation: Situation) -> Guidance | None:
        return wish

    return say


@pytest.mark.parametrize("text", ["oracle", "oracle:0.7", "noisy:0.1", "noisy:1", "noisy:0.1:0.7", "expert"])
def test_a_name_is_read_and_written(text: str) -> None:
    assert str(parse_reasoner(text)) == text


def test_without_errors_it_is_the_oracle() -> None:
    assert parse_reasoner("noisy:0") == parse_reasoner("oracle")
    assert ReasonerChoice().make(3) is knowing


@pytest.mark.parametrize(
    "text",
    [
        "",
        "noisy",
        "noisy:",
        "noisy:x",
        "noisy:1.1",
        "noisy:-0.1",
        "noisy:nan",
        "noisy:0.1:0",
        "noisy:0.1:",
        "oracle:0",
        "oracle:2",
    ],
)
def test_no_such_reasoner(text: str) -> None:
    with pytest.raises(ReasonerError, match="there are|must lie in|which is none"):
        parse_reasoner(text)


def test_it_errs_as_often_as_said_and_in_all_wrong_directions_alike() -> None:
    say = noisy(always(UP), 0.4, seed=1)
    n = 5000
    said = Counter(say(HERE).direction for _ in range(n))
    wrong = {direction: count for direction, count in said.items() if direction != UP.direction}
    assert len(wrong) == 5
    # Four standard deviations of a binomial.
    assert sum(wrong.values()) / n == pytest.approx(0.4, abs=4 * (0.4 * 0.6 / n) ** 0.5)
    assert all(count / n == pytest.approx(0.08, abs=4 * (0.08 * 0.92 / n) ** 0.5) for count in wrong.values())


def test_one_with_even_amounts_errs_with_them_too() -> None:
    assert parse_reasoner("noisy:0:0.7") == parse_reasoner("oracle:0.7")
    say = noisy(evenly(always(LET), 1.0), 1.0, seed=2, amount=1.0)
    assert {say(HERE).amount for _ in range(20)} == {1.0}


def test_evenly_changes_the_amount_alone() -> None:
    assert evenly(always(UP), 0.3)(HERE) == dataclasses.replace(UP, amount=0.3)
    assert evenly(always(LET), 0.3)(HERE) is LET


@given(st.integers(0, 2**40))
def test_an_error_changes_the_direction_alone(seed: int) -> None:
    wish = noisy(always(UP), 1.0, seed)(HERE)
    assert wish.direction != UP.direction
    assert dataclasses.replace(wish, direction=UP.direction) == UP


@pytest.mark.parametrize("silent", [LET, None])
def test_where_the_policy_should_act_any_direction_may_come(silent: Guidance | None) -> None:
    say = noisy(always(silent), 1.0, seed=2)
    said = [say(HERE) for _ in range(200)]
    assert {wish.direction for wish in said} == set(DIRECTIONS.values())
    assert all(wish.amount == LESS and not wish.defer for wish in said)


@given(st.integers(0, 2**40), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_the_same_seed_errs_alike_and_a_larger_probability_errs_there_too(seed: int, a: float, b: float) -> None:
    less, more = sorted((a, b))

    def errors(wrong: float) -> list[tuple[float, float, float]]:
        say = noisy(always(UP), wrong, seed)
        return [say(HERE).direction for _ in range(20)]

    assert errors(less) == errors(less)
    assert all(x in (UP.direction, y) for x, y in zip(errors(less), errors(more), strict=True))
