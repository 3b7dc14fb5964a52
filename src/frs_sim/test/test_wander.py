"""Legs: they stay in their box, what is set down lies on bare table, and a label is the legs and then the expert."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frs_sim.cell import CONTROL_RATE, Cell, Truth
from frs_sim.expert import STRAIGHT, Phase, imagine
from frs_sim.layout import TABLE
from frs_sim.objects import THINGS
from frs_sim.wander import BOX, IN_THE_AIR, LOWEST, ROOM, SPEEDS, Leg, Wander, imagine_legs

PERIOD = 1.0 / CONTROL_RATE
DOWN = np.array([0.0, 1.0, 0.0, 0.0])


def truth_at(place: np.ndarray, held: str = "", **things: tuple[float, float, float]) -> Truth:
    """The hand there, a held thing between its fingers, and other things."""
    positions = {name: np.array(position) for name, position in things.items()}
    if held:
        positions[held] = place.copy()
    return Truth(positions, {}, held, place, DOWN, 0.4 if held else 0.0)


def moved(truth: Truth, leg: Leg) -> Truth:
    """After one control step of a leg."""
    step = leg.velocity * PERIOD
    positions = {name: at + step if name == truth.held else at for name, at in truth.positions.items()}
    held = "" if leg.gripper == 0.0 else truth.held
    return replace(truth, positions=positions, held=held, tcp_position=truth.tcp_position + step)


@given(seed=st.integers(0, 2**32), share=st.tuples(*[st.floats(0.0, 1.0)] * 3))
def test_legs_lead_about_their_box_and_no_faster_than_they_may(seed: int, share: tuple[float, float, float]) -> None:
    wander = Wander(np.random.default_rng(seed))
    truth, led = truth_at(BOX[:, 0] + np.array(share) * (BOX[:, 1] - BOX[:, 0])), 0
    for _ in range(300):
        legs = wander.next(Phase.REACH, truth)
        for leg in legs[:1]:
            led += 1
            assert leg.rows >= 1 and leg.gripper is None
            assert np.linalg.norm(leg.velocity) <= SPEEDS[1] + 1e-9
            truth = moved(truth, leg)
        assert (truth.tcp_position >= BOX[:, 0] - 1e-9).all() and (truth.tcp_position <= BOX[:, 1] + 1e-9).all()
    assert led > 0


@given(seed=st.integers(0, 2**32), x=st.floats(*TABLE[0]), y=st.floats(*TABLE[1]))
def test_what_is_set_down_lies_on_bare_table(seed: int, x: float, y: float) -> None:
    wander = Wander(np.random.default_rng(seed))
    truth = truth_at(np.array([0.5, 0.0, 0.2]), "egg", basket=(x, y, 0.03))
    for _ in range(4000):
        legs = wander.next(Phase.CARRY, truth)
        truth = moved(truth, legs[0]) if legs else truth
        if not truth.held:
            at = truth.positions["egg"]
            assert np.hypot(at[0] - x, at[1] - y) > ROOM
            assert abs(at[2] - THINGS["egg"].rest_height) < 0.01
            assert all(low <= value <= high for value, (low, high) in zip(at[:2], TABLE, strict=True))
            return
    pytest.fail("nothing was set down")


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase not in IN_THE_AIR])
def test_no_leg_begins_where_the_hand_is_at_something(phase: Phase) -> None:
    wander = Wander(np.random.default_rng(0))
    assert not any(wander.next(phase, truth_at(BOX.mean(axis=1))) for _ in range(500))


def test_no_leg_begins_low() -> None:
    wander = Wander(np.random.default_rng(0))
    low = truth_at(np.array([0.5, 0.0, LOWEST - 0.01]))
    assert not any(wander.next(Phase.REACH, low) for _ in range(500))


def test_a_label_is_the_legs_and_then_the_experts_way_from_their_end() -> None:
    cell = Cell("egg_on_plate", 0)
    truth = cell.truth()
    legs = (Leg(np.array([0.0, 0.1, 0.0]), rows=4), Leg(np.array([0.0, 0.1, 0.0]), rows=2, gripper=1.0))
    label = imagine_legs(legs, cell.task, truth, 16, PERIOD, STRAIGHT)
    straight = imagine(cell.task, truth, 16, PERIOD)
    assert label.shape == (16, 7)
    np.testing.assert_array_equal(label[:6, :3], np.tile(legs[0].velocity, (6, 1)))
    np.testing.assert_array_equal(label[:4, 3:], straight[:4, 3:])
    np.testing.assert_array_equal(label[4:6, 3:], [[0.0, 0.0, 0.0, 1.0]] * 2)
    wanted = truth.positions["egg"] - (truth.tcp_position + legs[0].velocity * 6 * PERIOD)
    assert np.dot(label[6, :2], wanted[:2]) > 0.99 * np.linalg.norm(label[6, :2]) * np.linalg.norm(wanted[:2])
    np.testing.assert_array_equal(imagine_legs(legs, cell.task, truth, 3, PERIOD, STRAIGHT), label[:3])
    np.testing.assert_array_equal(imagine_legs((), cell.task, truth, 16, PERIOD, STRAIGHT), straight)
