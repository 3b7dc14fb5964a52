"""Which joint states are believed, and that a wrong one moves no target."""

from __future__ import annotations

import numpy as np
import pytest
from arm_bench import PERIOD, SETTINGS, Bench

from frs_steering.arm.belief import DOUBT, OUTSIDE, Belief
from frs_steering.arm.reading import Reading
from frs_steering.arm.robots import FR3
from frs_steering.arm.states import State
from frs_steering.robot.fr3 import RESET_POSITION

STEP = 1 / 60  # s between two readings
ELSEWHERE = np.array([0.0, 0.0, 0.0, -1.57, 0.0, 1.57, 0.0])


def reading(position: np.ndarray) -> Reading:
    return Reading(position, np.zeros(7), 0.0)


def believed(*positions: np.ndarray, start: float = 100.0) -> tuple[Belief, list[str]]:
    """The belief after readings one after the other, and why each was not believed."""
    belief, whys = Belief(), []
    for index, position in enumerate(positions):
        belief, why = belief.heard(reading(position), start + index * STEP, FR3, RESET_POSITION)
        whys.append(why)
    return belief, whys


def test_what_a_joint_can_do_is_believed_at_once() -> None:
    path = [RESET_POSITION + i * STEP * FR3.velocity for i in range(6)]
    belief, whys = believed(*path)
    assert not any(whys) and not belief.jumped
    assert belief.reading is not None and np.array_equal(belief.reading.position, path[-1])


def test_a_wrong_one_among_right_ones_is_never_believed() -> None:
    belief, whys = believed(*[RESET_POSITION, RESET_POSITION, ELSEWHERE] * 40)
    assert [bool(why) for why in whys] == [False, False, True] * 40
    assert "fr3_joint4 is said to have turned by 0.943 rad" in whys[2]
    assert belief.staleness(belief.at + STEP, 0.25) == ""


def test_an_arm_that_was_set_elsewhere_is_believed_after_a_while() -> None:
    count = round(DOUBT / STEP) + 2
    belief, whys = believed(RESET_POSITION, *[ELSEWHERE] * count)
    assert all(whys[1:-1]) and not whys[-1]
    assert belief.jumped
    after, why = belief.heard(reading(ELSEWHERE), belief.at + STEP, FR3, RESET_POSITION)
    assert not why and not after.jumped


def test_readings_that_contradict_each_other_are_not_believed_and_the_last_good_one_ages() -> None:
    rng = np.random.default_rng(0)
    noise = [rng.uniform(FR3.position_low, FR3.position_high) for _ in range(60)]
    belief, whys = believed(RESET_POSITION, *noise)
    assert all(whys[1:])
    assert "joint states are 1.00 s old, limit 0.25 s" in belief.staleness(belief.at + 1.0, 0.25)


@pytest.mark.parametrize("beyond", [OUTSIDE + 0.01, 9.0])
def test_no_joint_is_beyond_its_range(beyond: float) -> None:
    position = RESET_POSITION.copy()
    position[3] = FR3.position_high[3] + beyond
    belief, whys = believed(*[position] * 60)
    assert belief.reading is None
    assert all("fr3_joint4 at" in why and "its range ends at" in why for why in whys)


@pytest.mark.parametrize(
    ("joint", "place", "end"), [(3, -0.03, -0.152), (3, -3.2, -3.042), (5, 0.4, 0.544), (0, 3.0, 2.744)]
)
def test_the_end_of_the_range_that_was_passed_is_named(joint: int, place: float, end: float) -> None:
    position = RESET_POSITION.copy()
    position[joint] = place
    _, whys = believed(position)
    assert whys == [f"fr3_joint{joint + 1} at {place:.3f} rad; its range ends at {end:.3f} rad"]


def test_why_joint_states_that_come_are_not_believed_is_said_for_as_long_as_they_come() -> None:
    beyond = RESET_POSITION.copy()
    beyond[3] = -0.03
    words = "fr3_joint4 at -0.030 rad; its range ends at -0.152 rad"
    never, _ = believed(beyond)
    assert never.staleness(100.1, 0.25) == f"joint states are not believed: {words}"
    assert never.staleness(100.3, 0.25) == "no joint states yet", "nor do they come any longer"
    later, _ = believed(RESET_POSITION, *[beyond] * 60)
    assert later.staleness(101.0, 0.25) == (
        f"joint states are 1.00 s old, limit 0.25 s; those that come are not believed: {words}"
    )
    assert later.staleness(102.0, 0.25) == "joint states are 2.00 s old, limit 0.25 s"
    among, _ = believed(RESET_POSITION, beyond)
    assert among.staleness(100.1, 0.25) == among.doubt(100.1, 0.25) == "", "a wrong one among right ones"


def test_an_arm_whose_first_joint_states_are_not_believed_says_why() -> None:
    bench = Bench()
    good = bench.position
    bench.position = good.copy()
    bench.position[3] = -0.03
    words = "joint states are not believed: fr3_joint4 at -0.030 rad; its range ends at -0.152 rad"
    outcome = bench.step()
    assert (outcome.state, outcome.message) == (State.IDLE, words)
    assert bench.execution.home(0.3, bench.now) == (False, f"refused: {words}")
    assert bench.execution.recover(bench.now) == (False, words)
    bench.position = good
    assert bench.step().message == "no owner"


@pytest.mark.parametrize("state", [State.ARMED, State.HOLDING, State.RUNNING])
def test_a_wrong_reading_moves_no_target(state: State) -> None:
    bench = Bench().claimed()
    if state in (State.HOLDING, State.RUNNING):
        bench.send(1)
        bench.steps(25 if state is State.HOLDING else 5)
    outcome = bench.step()
    assert outcome.state is state
    before = bench.position.copy()
    bench.execution.observe(reading(ELSEWHERE), bench.now)
    outcome = bench.step()
    assert outcome.command is not None
    assert np.abs(outcome.command.position - before).max() <= np.abs(bench.velocity).max() * PERIOD + 1e-9


def test_an_arm_that_moved_on_unheard_is_believed_where_it_was_told_to_be() -> None:
    bench = Bench().claimed()
    bench.send(1, speed=0.4)
    bench.steps(4)
    bench.measures = False
    bench.steps(3)  # 0.2 s: not stale yet
    bench.measures = True
    before = bench.velocity.copy()
    outcome = bench.step()
    assert outcome.state is State.RUNNING
    assert (np.abs(outcome.velocity - before) <= SETTINGS.limits.acceleration * PERIOD * (1 + 1e-6)).all()


@pytest.mark.parametrize("state", [State.HOLDING, State.RUNNING])
@pytest.mark.parametrize("wrong", [0.03, 0.06])
def test_a_reading_so_little_wrong_that_it_is_believed_must_say_so_twice(state: State, wrong: float) -> None:
    bench = Bench().claimed()
    bench.send(1)
    bench.steps(25 if state is State.HOLDING else 5)
    for sign in (1.0, -1.0):  # a second publisher, in turns with the right one
        before, velocity = bench.position.copy(), bench.velocity.copy()
        bench.execution.observe(reading(bench.position + sign * wrong), bench.now)
        outcome = bench.step()
        assert outcome.state is state and outcome.command is not None
        moved = outcome.command.position - before - outcome.command.velocity * PERIOD
        np.testing.assert_allclose(moved, 0.0, atol=1e-9)
        assert np.abs(outcome.velocity - velocity).max() <= SETTINGS.limits.acceleration.max() * PERIOD * (1 + 1e-6)


@pytest.mark.parametrize("stops", [False, True])
def test_a_robot_that_is_said_to_be_elsewhere_rests_until_somebody_recovers_it(stops: bool) -> None:
    bench = Bench().claimed()
    bench.send(1)
    bench.steps(4)
    if stops:
        bench.execution.stop("a test")
    place = bench.position.copy()
    bench.measures = False
    outcomes = []
    for _ in range(15):
        bench.execution.observe(reading(ELSEWHERE), bench.now + PERIOD)
        outcomes.append(bench.step())
    sent = [outcome.command for outcome in outcomes if outcome.command is not None]
    places = np.array([place, *[command.position for command in sent]])
    velocities = np.array([command.velocity for command in sent])
    np.testing.assert_allclose(np.diff(places, axis=0), velocities * PERIOD, atol=1e-9)
    assert not velocities[-1].any() and outcomes[-1].command is None, "at rest, nothing more is sent"
    if stops:
        assert outcomes[-1].state is State.STOPPED
        assert bench.execution.reset()[0]
        outcomes.append(bench.step())
    assert outcomes[-1].state is State.FAULT
    assert "fr3_joint4 is said to be 0.8" in outcomes[-1].message
    assert "call arm_controller/recover" in outcomes[-1].message
    bench.position, bench.velocity, bench.measures = ELSEWHERE.copy(), np.zeros(7), True
    assert bench.step().state is State.FAULT
    assert bench.execution.recover(bench.now)[0]
    claim = bench.execution.claim("steering", bench.now + 2.0)
    bench.epoch = claim.epoch
    outcome = bench.step()
    assert outcome.state is State.ARMED and outcome.command is not None
    np.testing.assert_allclose(outcome.command.position, ELSEWHERE)


def test_a_reset_simulation_is_followed_from_rest() -> None:
    bench = Bench(simulated=True).claimed()
    bench.send(1)
    bench.steps(4)
    bench.position, bench.velocity = ELSEWHERE.copy(), np.zeros(7)
    outcomes = []
    for _ in range(5):
        bench.position, bench.velocity = ELSEWHERE.copy(), np.zeros(7)
        outcomes.append(bench.step())
    last = outcomes[-1].command
    assert last is not None
    limits = SETTINGS.limits
    lead = limits.lead + limits.lead_time * np.abs(last.velocity)
    assert (np.abs(last.position - ELSEWHERE) <= lead + np.abs(last.velocity) * PERIOD).all()
    assert State.FAULT not in {outcome.state for outcome in outcomes}
