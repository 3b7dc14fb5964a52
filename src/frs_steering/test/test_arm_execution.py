"""Execution of chunks: who drives when, on a clock that the tests turn by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from arm_bench import PERIOD, SETTINGS, Bench
from hypothesis import given, settings
from hypothesis import strategies as st

from frs_steering.arm.execution import Execution
from frs_steering.arm.ownership import CLAIM_LEASE
from frs_steering.arm.states import TRANSITIONS, Event, State
from frs_steering.arm.verdicts import Reason, Verdict
from frs_steering.robot.fr3 import RESET_POSITION
from frs_steering.robot.kinematics import pose_and_jacobian
from frs_steering.robot.spaces import ActionSpace


def speed_along_x(bench: Bench) -> float:
    return float((pose_and_jacobian(bench.position)[1] @ bench.velocity)[0])


def test_a_chunk_drives_row_by_row() -> None:
    bench = Bench().claimed()
    assert bench.execution.state is State.ARMED
    assert bench.send(1).verdict is Verdict.ACCEPTED
    outcomes = bench.steps(4)
    assert [outcome.row for outcome in outcomes] == [0, 1, 2, 3]
    assert {outcome.state for outcome in outcomes} == {State.RUNNING}
    assert [outcome.grip for outcome in outcomes] == [0.0, 0.0, 1.0, 1.0]
    assert speed_along_x(bench) == pytest.approx(0.1, abs=0.01)
    assert outcomes[-1].lease_remaining == pytest.approx(1.0 - 4 * PERIOD)
    assert outcomes[-1].message == "chunk 1 drives"


@pytest.mark.parametrize("simulated", [True, False])
def test_from_rest_the_arm_starts_where_it_is_or_nearer_to_it(simulated: bool) -> None:
    """A simulation's reset, or a hand that pushed it: the target does not stay ahead of the arm by what it was."""
    bench = Bench(simulated=simulated).claimed()
    bench.steps(3)
    bench.position = bench.position + 0.015
    held = bench.step().command
    assert held is not None and np.allclose(held.position, bench.position - 0.015)  # while it holds, no creeping
    where = bench.position
    bench.send(1)
    driven = bench.step().command
    assert driven is not None
    begin = driven.position - driven.velocity * PERIOD
    if simulated:
        np.testing.assert_allclose(begin, where)
    else:  # a robot would feel it: half of the acceleration that the gate allows, 4 x / T^2
        felt = 4 * (begin - held.position) / PERIOD**2
        np.testing.assert_allclose(felt, SETTINGS.limits.acceleration / 2)


def test_rows_due_before_arrival_are_discarded() -> None:
    bench = Bench().claimed()
    bench.steps(4)
    bench.send(1, first_tick=bench.ticks - 2)
    assert bench.step().row == 3


def test_a_new_chunk_takes_over_where_it_is_due() -> None:
    bench = Bench().claimed()
    bench.send(1)
    bench.steps(3)
    bench.send(2, first_tick=bench.ticks + 3)
    outcomes = bench.steps(4)
    assert [(outcome.chunk_id, outcome.row) for outcome in outcomes] == [(1, 3), (1, 4), (2, 0), (2, 1)]


def test_at_the_leases_end_the_arm_is_at_rest_within_03_s_and_the_gripper_keeps_its_grip() -> None:
    bench = Bench().claimed()
    bench.send(1, speed=0.4, lease=0.5)
    begun = bench.now
    while bench.step().row >= 0:
        pass
    assert bench.now - begun < 0.5 + PERIOD
    last = bench.step()
    while bench.velocity.any():
        last = bench.step()
    assert bench.now - begun - 0.5 < 0.3
    assert (last.state, last.verdict, last.reason) == (State.HOLDING, Verdict.HELD, Reason.LEASE_ENDED)
    assert "the lease of chunk 1 has ended" in last.message
    assert last.command is not None, "the hold is sent again and again"
    assert last.grip is None, "the gripper is left as it is"
    assert last.gripper == bench.gripper == 1.0


def test_a_chunk_that_runs_out_holds_and_the_next_goes_on() -> None:
    bench = Bench().claimed()
    bench.send(1, lease=1.5)
    outcomes = bench.steps(20)
    assert (outcomes[-1].state, outcomes[-1].reason) == (State.HOLDING, Reason.NO_CHUNK)
    assert "run out" in outcomes[-1].message
    bench.send(2)
    outcome = bench.step()
    assert (outcome.state, outcome.chunk_id) == (State.RUNNING, 2)
    assert (outcome.ticks_driven, outcome.ticks_starved) == (17, 4)


def test_an_owner_that_falls_silent_starves_the_arm_without_a_cap() -> None:
    bench = Bench().claimed()
    assert bench.steps(20)[-1].ticks_starved == 0, "before the first row nothing is due"
    bench.send(1, lease=1.5)
    bench.steps(16)
    assert bench.steps(200)[-1].ticks_starved == 200
    bench.measures = False
    outcome = bench.steps(10)[-1]
    assert (outcome.state, outcome.ticks_starved) == (State.FAULT, 210), "without joint states it starves too"


def test_an_owner_that_lets_go_ends_the_drive_at_once_and_no_chunk_is_due_until_the_next() -> None:
    bench = Bench().claimed()
    bench.send(1)
    bench.steps(3)
    assert bench.execution.renew(bench.epoch, 2, 0.0, bench.now)
    outcome = bench.steps(100)[-1]
    assert (outcome.state, outcome.message) == (State.HOLDING, "holding: 'steering' has let go")
    assert (outcome.reason, outcome.ticks_driven, outcome.ticks_starved) == (Reason.LEASE_ENDED, 3, 0)
    assert not bench.velocity.any()
    assert bench.send(2).reason is Reason.OLD_CHUNK, "it was sent before, and comes late"
    assert not bench.execution.renew(bench.epoch, 1, 0.0, bench.now), "so does a letting go of an older chunk"
    bench.send(3, lease=1.5)
    outcome = bench.steps(16 + 5)[-1]
    assert (outcome.ticks_driven, outcome.ticks_starved) == (3 + 16, 5)


def test_a_stop_ends_what_is_due() -> None:
    bench = Bench().claimed()
    bench.send(1, lease=1.5)
    bench.steps(16 + 5)
    bench.execution.stop("by hand")
    assert bench.steps(30)[-1].ticks_starved == 5
    bench.execution.reset()
    assert bench.steps(30)[-1].ticks_starved == 5
    bench.claimed()
    assert bench.steps(30)[-1].ticks_starved == 0


def test_skipped_steps_are_made_up_by_skipping_rows() -> None:
    bench = Bench().claimed()
    bench.send(1)
    bench.steps(3)
    outcome = bench.step(skip=1)
    assert (outcome.row, outcome.ticks_driven, outcome.ticks_starved) == (4, 4, 1)


def test_after_a_long_pause_of_the_process_the_arm_starts_from_rest() -> None:
    bench = Bench().claimed()
    bench.send(1, speed=0.4)
    bench.steps(4)
    outcome = bench.step(skip=30)
    assert outcome.state is State.HOLDING
    assert not outcome.velocity.any()


@pytest.mark.parametrize("moving", [False, True])
def test_after_a_long_pause_nothing_is_sent_before_the_arm_was_heard(moving: bool) -> None:
    """It may have been moved by hand meanwhile, and must not be drawn back to where it was told to be before."""
    bench = Bench().claimed()
    bench.send(1, speed=0.4 if moving else 0.0)
    bench.steps(4)
    bench.measures = False
    outcome = bench.step(skip=30)
    assert outcome.command is None and not outcome.velocity.any()
    bench.send(2, speed=0.4)
    moved = bench.position = bench.position + 0.04
    bench.velocity, bench.measures = np.zeros(7), True
    outcomes = bench.steps(8)
    assert [outcome.command is None for outcome in outcomes[:3]] == [True, True, False]
    sent = [outcome.command.position for outcome in outcomes if outcome.command is not None]
    np.testing.assert_allclose(sent, np.broadcast_to(moved, (6, 7)), atol=1e-9)
    bench.send(3, speed=0.1)
    assert [outcome.state for outcome in bench.steps(4)][-1] is State.RUNNING


def test_rejected_chunks_move_nothing() -> None:
    bench = Bench().claimed()
    bad = np.zeros(16 * 7)
    bad[5] = np.nan
    assert bench.send(1, values=bad).reason is Reason.NOT_FINITE
    assert bench.send(1, epoch=3).reason is Reason.WRONG_OWNER
    assert bench.send(1, space=int(ActionSpace.JOINT_VELOCITY)).reason is Reason.WRONG_SPACE
    assert {outcome.state for outcome in bench.steps(5)} == {State.ARMED}
    np.testing.assert_array_equal(bench.position, RESET_POSITION)
    assert bench.send(1).verdict is Verdict.ACCEPTED, "a rejected chunk does not use up its id"
    assert bench.send(1).reason is Reason.OLD_CHUNK


def test_without_an_owner_nothing_is_sent() -> None:
    bench = Bench()
    outcome = bench.step()
    assert (outcome.state, outcome.command, outcome.message) == (State.IDLE, None, "no owner")
    assert bench.send(1).reason is Reason.WRONG_OWNER


def test_without_joint_states_nothing_is_sent_or_admitted() -> None:
    bench = Bench()
    bench.measures = False
    outcome = bench.step()
    assert (outcome.state, outcome.command, outcome.message) == (State.IDLE, None, "no joint states yet")
    bench.epoch = bench.execution.claim("steering", bench.now).epoch
    assert bench.step().state is State.IDLE
    assert bench.send(1).reason is Reason.STATE_STALE
    bench.measures = True
    assert bench.step().state is State.ARMED


def test_stale_joint_states_are_a_fault_and_fresh_ones_end_it() -> None:
    bench = Bench().claimed()
    bench.send(1, speed=0.4)
    bench.steps(4)
    bench.measures = False
    outcomes = bench.steps(8)
    assert [outcome.state for outcome in outcomes] == [State.RUNNING] * 3 + [State.FAULT] * 5
    assert not outcomes[-1].velocity.any()
    assert outcomes[-1].reason is Reason.STATE_STALE
    assert "s old, limit 0.25 s" in outcomes[-1].message
    assert bench.send(2).reason is Reason.STATE_STALE
    bench.measures = True
    # It has moved on meanwhile, so they must agree for a moment.
    assert bench.steps(3)[-1].state is State.HOLDING, "the chunk of before is gone"
    bench.send(2)
    assert bench.step().state is State.RUNNING


def test_a_stop_latches_until_reset_and_a_new_claim() -> None:
    bench = Bench().claimed()
    bench.send(1, speed=0.4)
    bench.steps(4)
    bench.execution.stop("a test")
    outcomes = bench.steps(5)
    assert {outcome.state for outcome in outcomes} == {State.STOPPED}
    assert not outcomes[-1].velocity.any()
    assert "stopped: a test; call arm_controller/reset" in outcomes[-1].message
    assert bench.send(2).reason is Reason.STOPPED
    refused = bench.execution.claim("steering", bench.now)
    assert not refused.granted
    assert "stopped: a test" in refused.message
    assert bench.execution.reset()[0]
    assert not bench.execution.reset()[0]
    assert bench.step().state is State.IDLE
    assert bench.send(2).reason is Reason.WRONG_OWNER
    again = bench.execution.claim("steering", bench.now)
    assert again.granted
    assert again.epoch > bench.epoch


def test_the_arm_has_one_owner_at_a_time() -> None:
    bench = Bench().claimed()
    refused = bench.execution.claim("intruder", bench.now)
    assert (refused.granted, refused.epoch) == (False, 0)
    assert "'steering' owns the arm" in refused.message
    bench.steps(round((CLAIM_LEASE - 0.2) / PERIOD))
    bench.send(1)
    bench.steps(14)
    assert not bench.execution.claim("intruder", bench.now).granted, "the chunk's lease still runs"
    bench.steps(2)
    taken = bench.execution.claim("intruder", bench.now)
    assert taken.granted
    assert bench.send(2).reason is Reason.WRONG_OWNER
    assert not bench.execution.claim("", bench.now).granted


def test_a_respawned_owner_waits_for_its_old_lease_and_the_old_ones_chunks_end() -> None:
    bench = Bench().claimed()
    bench.send(1)
    bench.steps(3)
    refused = bench.execution.claim("steering", bench.now)
    assert not refused.granted, "there may be two of that name"
    assert "'steering' owns the arm and its lease runs" in refused.message
    bench.steps(30)
    old, bench.epoch = bench.epoch, bench.execution.claim("steering", bench.now).epoch
    assert bench.epoch == old + 1
    outcome = bench.step()
    assert (outcome.state, outcome.row, outcome.ticks_driven) == (State.ARMED, -1, 0)
    assert bench.send(2, epoch=old).reason is Reason.WRONG_OWNER
    assert bench.send(1).verdict is Verdict.ACCEPTED


def test_a_claim_that_no_chunk_has_followed_is_granted_anew_to_the_same_name_alone() -> None:
    bench = Bench().claimed()
    assert not bench.execution.claim("intruder", bench.now).granted
    again = bench.execution.claim("steering", bench.now)
    assert (again.granted, again.epoch) == (True, bench.epoch + 1), "its answer may have been lost"


def test_the_target_does_not_run_away_from_a_blocked_arm() -> None:
    bench = Bench().claimed()
    limits, fastest = SETTINGS.limits, np.zeros(7)
    for chunk_id in range(1, 6):
        bench.send(chunk_id, speed=0.3)
        for _ in range(8):
            outcome = bench.step()
            bench.position = RESET_POSITION + 1e-9 * bench.ticks  # no encoder measures the same twice
            bench.velocity = np.zeros(7)
            fastest = np.maximum(fastest, np.abs(outcome.velocity))
            assert outcome.command is not None
            ahead = np.abs(outcome.command.position - bench.position)
            assert np.all(ahead <= limits.lead + (limits.lead_time + PERIOD) * fastest + 1e-6)


def test_joint_positions_are_reached_without_overshoot() -> None:
    bench = Bench()
    bench.execution = Execution(dataclasses.replace(SETTINGS, space=ActionSpace.JOINT_POSITION))
    bench.claimed()
    target = RESET_POSITION + np.array([0.3, -0.1, 0.1, 0.2, -0.2, 0.1, 0.3])
    rows = np.tile(np.append(target, 1.0), (16, 1))
    bench.send(1, space=int(ActionSpace.JOINT_POSITION), dim=8, values=rows.ravel())
    bench.steps(14)
    np.testing.assert_allclose(bench.position, target, atol=1e-6)


commands = st.sampled_from(["step", "step", "step", "send", "lose", "find", "stop", "reset", "claim", "intrude"])
by_hand = st.sampled_from(["home", "cancel_home", "grip", "error", "well", "recover"])


@given(plan=st.lists(commands | by_hand, max_size=60))
@settings(max_examples=80)
def test_whatever_happens_states_follow_the_table_and_accelerations_keep_their_limit(plan: list[str]) -> None:
    bench = Bench().claimed()
    once = {(before, after) for (before, _), after in TRANSITIONS.items()} | {(state, state) for state in State}
    # A control step may take two of them: joint states are back, and a chunk drives.
    allowed = {(before, after) for before, between in once for same, after in once if between is same}
    state, velocity = bench.execution.state, np.zeros(7)
    for chunk_id, command in enumerate(plan, start=1):
        if command == "step":
            outcome = bench.step()
            assert np.all(np.abs(outcome.velocity - velocity) <= SETTINGS.limits.acceleration * PERIOD * (1 + 1e-6))
            home = "at the reset pose" in outcome.message  # on the step that ends the way there it holds already
            assert outcome.state is State.RUNNING or outcome.verdict is Verdict.HELD or home
            velocity = outcome.velocity
        elif command == "send":
            bench.send(chunk_id, speed=0.5)
        elif command in ("lose", "find"):
            bench.measures = command == "find"
        elif command == "stop":
            bench.execution.stop("a test")
        elif command in ("reset", "cancel_home"):
            getattr(bench.execution, command)()
        elif command == "home":
            bench.execution.home(0.3, bench.now)
        elif command == "grip":
            bench.execution.grip(1.0, bench.now)
        elif command in ("error", "well"):
            bench.execution.report("joint_reflex" if command == "error" else "")
        elif command == "recover":
            bench.execution.recover(bench.now)
        else:
            bench.epoch = bench.execution.claim(command, bench.now).epoch or bench.epoch
        assert (state, bench.execution.state) in allowed
        state = bench.execution.state


def test_every_state_can_be_left_and_a_stop_only_by_a_reset() -> None:
    for state in State:
        if state is not State.STOPPED:
            assert TRANSITIONS[state, Event.STOP] is State.STOPPED
    assert [event for (state, event) in TRANSITIONS if state is State.STOPPED] == [Event.RESET]


def test_a_renewed_lease_drives_on_and_an_ended_one_is_not_revived() -> None:
    bench = Bench().claimed()
    bench.send(1, lease=0.3)
    for _ in range(8):
        assert bench.step().row >= 0
        assert bench.execution.renew(bench.epoch, 1, 0.3, bench.now)
    held = bench.steps(6)
    assert held[-1].reason is Reason.LEASE_ENDED
    assert not bench.execution.renew(bench.epoch, 1, 0.3, bench.now)
    assert bench.step().row == -1


@pytest.mark.parametrize(
    ("epoch", "chunk_id", "lease"),
    [(1, 0, 0.3), (0, 7, 0.3), (0, 0, float("nan")), (0, 0, -1.0), (0, 0, 60.0), (1, 0, 0.0)],
)
def test_a_renewal_of_another_chunk_or_for_no_sensible_time_does_nothing(
    epoch: int, chunk_id: int, lease: float
) -> None:
    bench = Bench().claimed()
    bench.send(1, lease=0.3)
    bench.step()
    assert not bench.execution.renew(bench.epoch + epoch, 1 + chunk_id, lease, bench.now)
    assert bench.steps(6)[-1].reason is Reason.LEASE_ENDED


def test_two_chunks_sent_ahead_leave_the_one_that_drives() -> None:
    bench = Bench().claimed()
    bench.send(1)
    bench.steps(2)
    bench.send(2, first_tick=bench.ticks + 3)
    bench.send(3, first_tick=bench.ticks + 4)
    assert [(outcome.chunk_id, outcome.row) for outcome in bench.steps(4)] == [(1, 2), (1, 3), (1, 4), (3, 0)]
