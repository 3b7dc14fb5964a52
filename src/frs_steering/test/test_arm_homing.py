"""The way to the reset pose: the plain arithmetic, and the arm that is brought there through the gate."""

from __future__ import annotations

import dataclasses

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from arm_bench import PERIOD, SETTINGS, Bench
from hypothesis import given, settings
from hypothesis import strategies as st

from frs_steering.arm import homing
from frs_steering.arm.execution import Execution
from frs_steering.arm.limits import Limits
from frs_steering.arm.outcome import Outcome
from frs_steering.arm.states import State
from frs_steering.arm.verdicts import Reason, Verdict
from frs_steering.robot.fr3 import RESET_POSITION
from frs_steering.robot.kinematics import tcp_pose

AWAY = RESET_POSITION + np.array([0.4, 0.2, -0.3, 0.3, 0.1, -0.2, 0.3])
"""A pose in the middle of the workspace."""

poses = hnp.arrays(np.float64, 7, elements=st.floats(-1.0, 1.0)).map(lambda change: RESET_POSITION + change)


def way_home(bench: Bench, steps: int = 400) -> list[Outcome]:
    """The control steps until the way home is over."""
    outcomes = []
    for _ in range(steps):
        outcomes.append(bench.step())
        if bench.execution.homing is not None and bench.execution.homing.is_over:
            return outcomes
    raise AssertionError(f"not over after {steps} steps: {bench.execution.homing}")


@pytest.fixture
def away() -> Bench:
    """An arm that nobody owns, away from home."""
    bench = Bench()
    bench.position = AWAY
    bench.step()
    return bench


@settings(max_examples=50)
@given(start=poses, scale=st.floats(homing.LEAST_SCALE, 1.0), acceleration=st.floats(0.1, 8.0))
def test_it_goes_straight_stops_in_time_and_ends_at_the_pose(
    start: np.ndarray, scale: float, acceleration: float
) -> None:
    limits = Limits(acceleration=np.full(7, acceleration))
    position, last = start, np.zeros(7)
    speed = homing.speed_of(scale)
    way = homing.begin(start, speed, 0.0)
    for _ in range(2_000):
        velocity = homing.next_velocity(way, position, position, limits, PERIOD)
        assert np.abs(velocity).max() <= speed + 1e-12
        slowed = np.abs(last).max() - np.abs(velocity).max()
        hardest = 1.125 * homing.ACCELERATION_SHARE * acceleration  # on the last step; on all others 1
        assert slowed <= hardest * PERIOD + 1e-9, "no step slows down too hard"
        line = RESET_POSITION - start
        straight = line * np.dot(position - start, line) / max(line @ line, 1e-300)
        np.testing.assert_allclose(position - start, straight, atol=1e-12)
        position, last = position + velocity * PERIOD, velocity
        if not velocity.any() or np.abs(position - RESET_POSITION).max() < 1e-12:
            break
    np.testing.assert_allclose(position, RESET_POSITION, atol=1e-9)


@pytest.mark.parametrize("scale", [-0.1, 0.04, 1.01, float("nan"), float("inf")])
def test_a_scale_out_of_range_is_named(scale: float) -> None:
    with pytest.raises(ValueError, match=r"speed_scale is .*; it must lie in \[0.05, 1\], and 0 stands for 1"):
        homing.speed_of(scale)


def test_the_arm_comes_home_and_then_belongs_to_nobody(away: Bench) -> None:
    assert away.execution.home(homing.SPEED, away.now) == (True, "on the way")
    outcomes = way_home(away)
    assert {outcome.state for outcome in outcomes[:-1]} == {State.RUNNING}
    assert {outcome.owner for outcome in outcomes[:-1]} == {"home"}
    assert {outcome.verdict for outcome in outcomes} <= {Verdict.ACCEPTED, Verdict.CLIPPED}
    assert all(outcome.grip is None for outcome in outcomes), "the fingers keep what they hold"
    end = away.execution.homing
    assert end is not None and end.success and end.distance <= homing.NEAR
    np.testing.assert_allclose(away.position, RESET_POSITION, atol=homing.NEAR)
    assert (outcomes[-1].owner, away.step().state) == ("", State.HOLDING)
    fastest = max(float(np.abs(outcome.velocity).max()) for outcome in outcomes)
    assert homing.SPEED - 1e-9 <= fastest <= homing.SPEED + 1e-9
    assert away.claimed().epoch, "it can be claimed at once"


def test_at_home_it_is_over_at_once() -> None:
    away = Bench()
    away.position = RESET_POSITION
    away.step()
    assert away.execution.home(homing.SPEED, away.now)[0]
    assert len(way_home(away)) <= 2
    assert away.execution.homing is not None and away.execution.homing.success


def test_cancelled_it_decelerates_and_holds(away: Bench) -> None:
    away.execution.home(homing.SPEED, away.now)
    away.steps(15)
    assert away.velocity.any()
    away.execution.cancel_home()
    held = away.steps(5)
    assert {outcome.state for outcome in held} == {State.HOLDING}
    assert "the way home was cancelled" in held[-1].message
    speeds = [float(np.abs(outcome.velocity).max()) for outcome in held]
    assert speeds == sorted(speeds, reverse=True) and speeds[-1] == 0.0
    end = away.execution.homing
    assert end is not None and end.is_over and not end.success and end.message == "cancelled"


def test_nobody_gets_in_on_the_way(away: Bench) -> None:
    away.execution.home(homing.SPEED, away.now)
    epoch = away.step().epoch
    assert not away.execution.claim("steering", away.now).granted
    judgement = away.send(1, epoch=epoch)
    assert (judgement.verdict, judgement.reason) == (Verdict.REJECTED, Reason.WRONG_OWNER)
    assert "on its way home" in judgement.detail
    assert not away.execution.renew(epoch, 7, 0.0, away.now), "nor is it let go for it"
    assert away.execution.home(homing.SPEED, away.now) == (False, "refused: the arm is on its way home")
    assert away.execution.grip(1.0, away.now) == (False, "refused: the arm is on its way home")
    assert away.step().owner == "home"


def test_a_claim_that_nothing_has_followed_is_no_hindrance(away: Bench) -> None:
    away.claimed()
    assert away.execution.home(homing.SPEED, away.now)[0]
    assert away.step().owner == "home"
    assert away.send(1).reason is Reason.WRONG_OWNER


def test_it_is_refused_while_an_owner_drives_in_a_stop_and_in_a_fault() -> None:
    bench = Bench().claimed()
    bench.send(1)
    bench.step()
    done, words = bench.execution.home(homing.SPEED, bench.now)
    assert not done and "'steering' owns the arm and its lease runs for another" in words
    bench.execution.stop("a test")
    assert "a test" in bench.execution.home(homing.SPEED, bench.now)[1]
    bench.execution.reset()
    bench.execution.report("joint_reflex")
    assert "the robot says: joint_reflex" in bench.execution.home(homing.SPEED, bench.now)[1]
    bench.execution.report("")
    bench.execution.recover(bench.now)
    bench.measures = False
    bench.now += 1.0
    assert "s old, limit 0.25 s" in bench.execution.home(homing.SPEED, bench.now)[1]


@pytest.mark.parametrize("fault", ["stop", "error", "stale"])
def test_a_stop_or_a_fault_ends_it(away: Bench, fault: str) -> None:
    away.execution.home(homing.SPEED, away.now)
    away.steps(10)
    if fault == "stop":
        away.execution.stop("a test")
    elif fault == "error":
        away.execution.report("joint_reflex")
    else:
        away.measures = False
    outcomes = away.steps(12)
    assert outcomes[-1].state is (State.STOPPED if fault == "stop" else State.FAULT)
    assert not outcomes[-1].velocity.any()
    assert outcomes[-1].owner == ""
    end = away.execution.homing
    assert end is not None and end.is_over and not end.success and end.message


def test_an_arm_that_does_not_follow_is_not_pushed_on_for_long(away: Bench) -> None:
    away.execution.home(homing.SPEED, away.now)
    begun = away.now
    for _ in range(100):
        away.step()
        away.position = AWAY + 1e-9 * away.ticks  # no encoder measures the same twice
        if away.execution.homing is not None and away.execution.homing.is_over:
            break
    assert away.now - begun < homing.PATIENCE + 1.0
    end = away.execution.homing
    assert end is not None and "comes no nearer: " in end.message and "does not follow" in end.message


@pytest.mark.parametrize("share", [0.8, 0.9, 0.95, 1.05, 1.2])
def test_an_arm_that_moves_too_little_or_too_far_comes_home_all_the_same(away: Bench, share: float) -> None:
    away.execution.home(homing.SPEED, away.now)
    for tick in range(300):
        before = away.position
        away.step()
        away.position = before + share * away.velocity * PERIOD + 1e-9 * tick
        if away.execution.homing is not None and away.execution.homing.is_over:
            break
    end = away.execution.homing
    assert end is not None and end.success, end
    np.testing.assert_allclose(away.position, RESET_POSITION, atol=homing.NEAR)


def test_where_the_gate_is_in_the_way_it_says_so() -> None:
    """A workspace that the reset pose does not lie in."""
    bench = Bench()
    low_ceiling = np.array([0.8, 0.5, 0.3])
    bench.execution = Execution(dataclasses.replace(SETTINGS, limits=Limits(workspace_high=low_ceiling)))
    bench.position = RESET_POSITION + np.array([0.0, 0.9, 0.0, 0.5, 0.0, 0.0, 0.0])
    bench.step()
    assert tcp_pose(bench.position)[2, 3] < low_ceiling[2] < tcp_pose(RESET_POSITION)[2, 3]
    assert bench.execution.home(homing.SPEED, bench.now)[0]
    way_home(bench)
    end = bench.execution.homing
    assert end is not None and not end.success
    assert "comes no nearer: TCP would get to z 0.3" in end.message
