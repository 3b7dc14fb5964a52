"""What the arm controller says of itself, from an execution whose arm obeys it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from arm_bench import Bench

from frs_steering.arm.outcome import Outcome
from frs_steering.arm.stillness import STUCK
from frs_steering.arm.verdicts import Reason, Verdict
from frs_steering.health.arm import (
    LEAST_DRIVEN,
    RECENT,
    STEP_STALE,
    WHAT_TO_DO,
    Rejection,
    arm_health,
    gate_health,
    gripper_health,
)
from frs_steering.health.report import Health, Level


def health(before: Outcome | None, outcome: Outcome | None, **change: Any) -> Health:
    starved = before is not None and outcome is not None and outcome.ticks_starved > before.ticks_starved
    given = {"step_age": 0.03, "reading_age": 0.01, "starved": starved, "robot_error": ""} | change
    return arm_health(outcome, **given)


def test_before_the_first_step_and_the_first_joint_states_nothing_is_known() -> None:
    assert health(None, None).level is Level.STALE
    bench = Bench()
    bench.measures = False
    said = health(None, bench.step(), reading_age=None)
    assert said.level is Level.STALE and "no joint states came yet; start the robot's driver" in said.message
    assert said.values["age of the joint states [s]"] == "never"


def test_an_arm_that_is_idle_claimed_driven_and_let_go_is_well() -> None:
    bench = Bench()
    idle = health(None, bench.step())
    assert (idle.level, idle.message) == (Level.OK, "no owner")
    bench.claimed()
    assert health(None, bench.step()).message == "owned by 'steering', no chunk yet"
    bench.send(1)
    driven = health(*bench.steps(2))
    assert (driven.level, driven.message) == (Level.OK, "driven by 'steering'")
    assert driven.values["chunk"] == "1" and driven.values["owner"] == "steering"
    bench.execution.renew(bench.epoch, 1, 0.0, bench.now)
    let_go = health(*bench.steps(2))
    assert (let_go.level, let_go.message) == (Level.OK, "holding: 'steering' has let go")


def test_commands_that_nobody_follows_are_a_warning_unless_there_is_worse() -> None:
    bench, unheard = Bench().claimed(), "nobody follows /fr3_arm_controller/joint_trajectory: see whether ..."
    bench.send(1)
    said = health(*bench.steps(2), unheard=unheard)
    assert (said.level, said.message) == (Level.WARN, unheard)
    bench.execution.stop("a test")
    assert health(None, bench.step(), unheard=unheard).level is Level.ERROR


def test_a_lease_that_ends_and_a_chunk_that_runs_out_are_warnings_with_what_to_look_at() -> None:
    bench = Bench().claimed()
    bench.send(1, lease=0.2)
    ended = health(*bench.steps(6)[-2:])
    assert ended.level is Level.WARN and "'steering' has not renewed its lease; see whether it runs" in ended.message
    bench.send(2, lease=1.5)
    ran_out = health(*bench.steps(20)[-2:])
    assert ran_out.level is Level.WARN and "the chunk has run out and 'steering' sent no other" in ran_out.message


def test_a_stop_says_whose_it_was_and_what_ends_it() -> None:
    bench = Bench().claimed()
    bench.execution.stop("arm_controller/stop was called")
    said = health(None, bench.step())
    assert said.level is Level.ERROR
    assert said.message == "stopped: arm_controller/stop was called; call arm_controller/reset"


def test_faults_say_their_cause_and_their_words_do_not_change_with_time() -> None:
    bench = Bench().claimed()
    bench.measures = False
    late = bench.steps(6)
    said = [health(None, outcome, reading_age=0.3 + number) for number, outcome in enumerate(late[-2:])]
    assert (
        said[0].level is Level.ERROR and "the joint states stay away: see whether the robot's driver" in said[0].message
    )
    assert said[0].message == said[1].message
    assert [one.values["age of the joint states [s]"] for one in said] == ["0.30", "1.30"]
    bench.measures = True
    bench.execution.report("joint_reflex")
    said_of_robot = health(None, bench.steps(2)[-1], robot_error="joint_reflex")
    assert said_of_robot.level is Level.ERROR
    assert said_of_robot.message == "the robot says: joint_reflex; call arm_controller/recover"
    assert said_of_robot.values["robot's error"] == "joint_reflex"


def test_a_robot_that_is_lost_needs_a_recovery_also_while_its_joint_states_stay_away() -> None:
    bench = Bench().claimed()
    bench.measures = False
    bench.execution.report("lost connection")
    said = health(None, bench.steps(10)[-1], reading_age=0.6, robot_error="lost connection")
    assert said.level is Level.ERROR
    assert said.message == "the robot says: lost connection; call arm_controller/recover"


def test_who_else_commands_the_arm_is_told_apart_from_the_robots_error() -> None:
    bench = Bench().claimed()
    bench.execution.report("", "/arm_controller, /my_planner all publish on /turn")
    said = health(None, bench.step(), rivalry="/arm_controller, /my_planner all publish on /turn")
    assert said.message == "/arm_controller, /my_planner all publish on /turn; call arm_controller/recover"
    assert (said.values["robot's error"], said.values["who else commands it"]) == (
        "",
        "/arm_controller, /my_planner all publish on /turn",
    )


@pytest.mark.parametrize("before", [0, 1])
def test_joint_states_that_are_not_believed_are_an_error_with_the_doubt_in_the_values(before: int) -> None:
    bench = Bench()
    bench.steps(before)
    bench.position = bench.position.copy()
    bench.position[3] = -0.03
    said = health(None, bench.steps(6)[-1])
    assert said.level is Level.ERROR and said.message.startswith("joint states come, but are not believed")
    assert said.values["doubt about them"] == "fr3_joint4 at -0.030 rad; its range ends at -0.152 rad"
    bench.measures = False
    gone = health(None, bench.steps(6)[-1], reading_age=0.4)
    words = "the joint states stay away" if before else "no joint states came yet"
    assert gone.message.startswith(words) and gone.values["doubt about them"] == ""


def test_joint_states_that_repeat_themselves_do_not_stay_away() -> None:
    bench = Bench().claimed()
    bench.send(1, speed=0.3)
    bench.steps(3)
    frozen = bench.position
    for _ in range(8):
        bench.position = frozen
        outcome = bench.step()
    assert health(None, outcome) == Health(Level.ERROR, STUCK, health(None, outcome).values)


def test_the_way_home_is_told_without_its_distance() -> None:
    bench = Bench()
    bench.position = bench.position + 0.3
    bench.step()
    assert bench.execution.home(0.3, bench.now)[0]
    assert health(*bench.steps(2)).message == "on the way home"


def test_a_control_thread_that_hangs_is_an_error() -> None:
    said = health(None, Bench().step(), step_age=STEP_STALE + 0.1)
    assert said.level is Level.ERROR and "the control steps stand still" in said.message


@pytest.mark.parametrize("reason", WHAT_TO_DO)
def test_a_rejected_chunk_is_told_with_a_hint_for_a_while(reason: Reason) -> None:
    said = gate_health([], Rejection(reason, "chunk 7: 3.5 of something", 10.0), 1, 11.0)
    assert said.level is Level.WARN
    assert said.message == f"rejects chunks ({reason.name}): {WHAT_TO_DO[reason]}"
    assert said.values["last rejection"] == f"{reason.name}: chunk 7: 3.5 of something"
    assert gate_health([], Rejection(reason, "", 10.0), 1, 10.0 + RECENT).level is Level.OK


def test_steps_that_are_clipped_are_counted_and_a_majority_is_a_warning() -> None:
    bench = Bench().claimed()
    assert gate_health(bench.steps(3), None, 0, 0.0).message == "is asked for nothing"
    bench.send(1)
    gentle = gate_health(bench.steps(LEAST_DRIVEN - 1), None, 0, 0.0)
    assert (gentle.level, gentle.message) == (Level.OK, "lets pass what it is asked")
    bench.send(2, values=np.tile([2.0, 0, 0, 0, 0, 0, 0], 16))
    hard = gate_health(bench.steps(LEAST_DRIVEN), None, 0, 0.0)
    assert hard.level is Level.WARN and "clips most steps, first by" in hard.message
    assert int(hard.values["steps clipped of those"]) > LEAST_DRIVEN / 2


def test_a_step_that_is_not_finite_is_an_error() -> None:
    outcome = dataclasses.replace(Bench().step(), verdict=Verdict.REJECTED, reason=Reason.NOT_FINITE)
    assert gate_health([outcome], None, 0, 0.0).level is Level.ERROR


def test_the_grippers_trouble_is_a_warning_in_its_words() -> None:
    assert gripper_health("").level is Level.OK
    assert gripper_health("no answer") == Health(Level.WARN, "no answer")
