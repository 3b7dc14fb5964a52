"""What people ask of the controller without driving the arm: the gripper, a recovery, a reset."""

from __future__ import annotations

import numpy as np
import pytest
from arm_bench import Bench

from frs_steering.arm.ownership import CLAIM_LEASE
from frs_steering.arm.states import State
from frs_steering.arm.verdicts import Reason, Verdict


def test_a_robots_error_is_a_fault_until_somebody_recovers_from_it() -> None:
    bench = Bench().claimed()
    bench.send(1, speed=0.4)
    bench.steps(4)
    bench.execution.report("joint_reflex")
    outcomes = bench.steps(6)
    assert {outcome.state for outcome in outcomes} == {State.FAULT}
    assert outcomes[-1].message == "the robot says: joint_reflex; call arm_controller/recover"
    assert not outcomes[-1].velocity.any()
    assert bench.send(2).verdict is Verdict.REJECTED
    assert bench.execution.recover(bench.now) == (False, "the robot still says: joint_reflex")
    bench.execution.report("")
    assert bench.step().state is State.FAULT, "it is not over by itself"
    assert bench.execution.recover(bench.now) == (True, "recovered from: joint_reflex")
    assert bench.step().state is State.HOLDING
    assert bench.send(2).verdict is Verdict.ACCEPTED
    assert bench.step().state is State.RUNNING


def test_where_there_is_no_fault_nothing_is_recovered_from() -> None:
    bench = Bench().claimed()
    assert bench.execution.recover(bench.now)[1].startswith("nothing to recover from: ARMED")
    bench.execution.report("joint_reflex")
    bench.execution.stop("a test")
    assert bench.execution.recover(bench.now)[1].endswith("a stop is no fault")
    bench.execution.reset()
    assert bench.step().state is State.FAULT, "a reset ends the stop, not the fault"
    bench.measures = False
    bench.execution.report("")
    bench.steps(5)
    assert "s old, limit 0.25 s" in bench.execution.recover(bench.now)[1]


def test_by_hand_the_gripper_is_told_once_and_only_while_nobody_drives() -> None:
    bench = Bench()
    bench.step()
    assert bench.execution.grip(1.0, bench.now) == (True, "asked of the gripper")
    closed, after = bench.step(), bench.step()
    assert (closed.grip, closed.command, after.grip) == (1.0, None, None), "the arm itself is told nothing"
    assert after.gripper == bench.gripper == 1.0
    bench.claimed()
    assert bench.execution.grip(0.0, bench.now)[0], "who has claimed the arm, but does not drive it, is in nobody's way"
    assert bench.step().grip == 0.0
    bench.send(1)
    bench.step()
    done, words = bench.execution.grip(1.0, bench.now)
    assert not done and "'steering' owns the arm and its lease runs for another" in words
    bench.now += CLAIM_LEASE
    bench.step()
    assert bench.execution.grip(1.0, bench.now)[0], "its lease has ended"
    assert bench.step().grip == 1.0
    bench.execution.stop("a test")
    assert bench.execution.grip(1.0, bench.now)[1].startswith("refused: stopped: a test")
    assert bench.step().grip is None


def test_a_reset_while_the_arm_brakes_still_brings_it_to_rest() -> None:
    bench = Bench().claimed()
    bench.send(1, speed=0.4)
    bench.steps(6)
    bench.execution.stop("a test")
    bench.step()
    bench.execution.reset()
    outcomes = bench.steps(6)
    told = [outcome.command.velocity for outcome in outcomes if outcome.command]
    assert not told[-1].any(), "the last command is a zero"
    assert outcomes[-1].command is None and outcomes[-1].state is State.IDLE


def test_an_arm_that_is_pushed_away_in_a_fault_is_followed_by_its_target() -> None:
    bench = Bench().claimed()
    bench.execution.report("joint_reflex")
    bench.steps(2)
    for _ in range(4):
        before = bench.position
        bench.position = before + 0.05  # by hand
        outcome = bench.step()
        assert (outcome.state, outcome.command) == (State.FAULT, None), "an old target would draw it back"
    bench.execution.report("")
    assert bench.execution.recover(bench.now)[0]
    command = bench.step().command
    assert command is not None and not command.velocity.any()
    # By the reading before the last one, since a single one could be wrong.
    assert np.all(before - 1e-9 <= command.position) and np.all(command.position <= bench.position + 1e-9)


@pytest.mark.parametrize("why", ["a stop", "a fault"])
def test_an_arm_that_nothing_may_drive_is_told_that_it_rests_and_then_nothing(why: str) -> None:
    bench = Bench().claimed()
    bench.send(1, speed=0.4)
    bench.steps(6)
    bench.execution.stop("a test") if why == "a stop" else bench.execution.report("joint_reflex")
    outcomes = bench.steps(10)
    said = [outcome.command for outcome in outcomes if outcome.command is not None]
    assert outcomes[len(said)].command is None and outcomes[-1].command is None
    assert [bool(command.velocity.any()) for command in said[-3:]] == [True, False, False]


def test_one_that_starts_stopped_waits_for_a_reset() -> None:
    """It may have been stopped, or in a fault that only a recovery ends, when its process died."""
    bench = Bench(starts_stopped=True)
    outcome = bench.steps(3)[-1]
    assert (outcome.state, outcome.command) == (State.STOPPED, None)
    assert outcome.message == "stopped: the controller has just been started; call arm_controller/reset"
    assert not bench.execution.claim("steering", bench.now).granted
    assert bench.execution.reset()[0]
    assert bench.claimed().step().state is State.ARMED


def test_an_arm_that_was_guided_by_hand_is_not_drawn_back_when_it_is_claimed() -> None:
    bench = Bench()
    bench.step()
    for _ in range(10):
        bench.position = bench.position + 0.003
        assert bench.step().command is None
    bench.execution.claim("steering", bench.now)
    command = bench.step().command
    assert command is not None
    assert np.all(bench.position - 0.003 - 1e-12 <= command.position), "between the last two readings"
    assert np.all(command.position <= bench.position)


def test_while_the_robot_is_lost_it_is_said_that_it_waits_for_a_recovery() -> None:
    """Stale joint states end by themselves, and would hide that this fault does not."""
    bench = Bench().claimed()
    bench.measures = False
    bench.execution.report("lost connection")
    outcome = bench.steps(10)[-1]
    assert (outcome.state, outcome.reason) == (State.FAULT, Reason.ROBOT_ERROR)
    assert outcome.message == "the robot says: lost connection; call arm_controller/recover"
    assert bench.send(1).reason is Reason.ROBOT_ERROR
    assert bench.execution.home(0.3, bench.now) == (False, f"refused: {outcome.message}")
    bench.execution.report("")
    assert "s old, limit 0.25 s" in bench.execution.recover(bench.now)[1]
    bench.measures = True
    assert bench.step().message == outcome.message
    assert bench.execution.recover(bench.now) == (True, "recovered from: lost connection")


def test_a_robot_that_is_lost_before_its_first_joint_states_is_a_fault_too() -> None:
    bench = Bench()
    bench.measures = False
    assert (bench.step().state, bench.step().message) == (State.IDLE, "no joint states yet")
    bench.execution.report("lost connection")
    outcome = bench.step()
    assert (outcome.state, outcome.reason, outcome.command) == (State.FAULT, Reason.ROBOT_ERROR, None)
    bench.execution.report("")
    assert bench.execution.recover(bench.now) == (False, "no joint states yet")
    bench.measures = True
    assert bench.step().state is State.FAULT
    assert bench.execution.recover(bench.now)[0]
    assert (bench.step().state, bench.claimed().step().state) == (State.IDLE, State.ARMED)
