"""What the screen says in the situations an operator meets."""

import dataclasses

import pytest
from frs_msgs.msg import ArmState, Decision

from frs_teleop_cli.screen import NOTE_TIME, NOTES, banner, compass, screen
from frs_teleop_cli.view import ArmFacts, DecisionFacts, GateFacts, Note, RecorderFacts, Seen, TaskFacts, View
from frs_teleop_cli.wishes import Taken, Wish

LEFT = Wish((0.0, 1.0, 0.0))
EMPTY = View(now=10.0, started=8.8)
ARM = ArmFacts(ArmState.RUNNING, 100, 41, 3, "flow_steering", 0.7, 320, 2, "")
DECISION = DecisionFacts(
    41, Decision.SOURCE_HUMAN, "frs", False, "", LEFT, True, "operator", 0.93, 0.62, 0.034, 0.022, 0.041, 0.043, 0.12
)


def with_arm(**changes):
    return dataclasses.replace(EMPTY, arm=Seen(dataclasses.replace(ARM, **changes), 9.95))


def with_decision(**changes):
    return dataclasses.replace(with_arm(), decision=Seen(dataclasses.replace(DECISION, **changes), 9.6))


def text_of(view, label):
    shown = screen(view)
    return next(row.text for row in (*shown.wishes, *shown.facts) if row.label == label)


def test_arm_that_never_came():
    row = banner(EMPTY)
    assert (row.label, row.text, row.tone) == ("NO ARM", "no arm_controller seen for 1.2 s", "bad")


def test_arm_that_went_silent():
    assert banner(dataclasses.replace(with_arm(), now=11.15)).text == "no arm_controller seen for 1.2 s"


@pytest.mark.parametrize(
    ("state", "label", "says"),
    [
        (ArmState.IDLE, "IDLE", "nobody has the arm"),
        (ArmState.ARMED, "ARMED", "flow_steering has the arm"),
        (ArmState.RUNNING, "RUNNING", "flow_steering drives"),
        (ArmState.HOLDING, "HOLDING", "waiting for a chunk of flow_steering"),
        (ArmState.FAULT, "FAULT", "no reason"),
        (ArmState.STOPPED, "STOPPED", "r resets"),
        (77, "STATE 77?", "nobody has the arm"),
    ],
)
def test_states_in_words(state, label, says):
    row = banner(with_arm(state=state))
    assert row.label == label
    assert says in row.text


def test_what_is_still_starting_is_named():
    waiting = dataclasses.replace(EMPTY, waiting=("arm_controller", "vla_inference"))
    row = banner(waiting)
    assert (row.label, row.text) == ("STARTING", "waiting for arm_controller, vla_inference (1.2 s)")
    armed = dataclasses.replace(with_arm(state=ArmState.ARMED), waiting=("vla_inference",))
    assert banner(armed).label == "STARTING"
    assert banner(dataclasses.replace(armed, stop_asked=9.0)).label == "STOP"
    for state in (ArmState.RUNNING, ArmState.STOPPED, ArmState.FAULT):
        assert banner(dataclasses.replace(with_arm(state=state), waiting=("vla_inference",))).label != "STARTING"


def test_what_keeps_the_steering_from_deciding_is_said():
    why = "flow_query failed: no instruction came yet"
    view = dataclasses.replace(with_decision(), steering=True, why_not=why)
    assert text_of(view, "Decision") == f"none: {why}"
    assert text_of(view, "Next") == "no decision can be made, see below"
    assert screen(view).facts[0].tone == "bad"
    assert screen(dataclasses.replace(view, steering=False)).facts[0].tone == "warn"


def test_stop_without_answer_goes_before_everything():
    row = banner(dataclasses.replace(with_arm(), stop_asked=9.0))
    assert (row.label, row.tone) == ("STOP", "bad")
    assert "not confirmed yet" in row.text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "you steer: left (+y)"),
        ({"author": "another"}, "a person steers"),
        ({"source": Decision.SOURCE_SCRIPTED, "human": False}, "scripted steers"),
        ({"source": Decision.SOURCE_BASE, "wish": Wish(defer=True), "human": False}, "no input: the policy acts"),
        ({"source": Decision.SOURCE_NOISE_POLICY, "human": False}, "no input: the noise policy acts"),
        ({"source": Decision.SOURCE_BASE, "deferred": True, "reason": "too far"}, "the policy acts: too far"),
    ],
)
def test_who_steers(changes, says):
    assert says in banner(with_decision(**changes)).text


def test_decision_in_words():
    shown = screen(with_decision())
    lines = [row.text for row in shown.facts[:3]]
    assert lines == [
        "chunk 41, 0.4 s ago: you, left (+y) (frs)",
        "agreement +0.93 follows the wish, noise at the 62nd percentile",
        "took 120 ms: encode 22, reverse 41, denoise 43; camera 34 ms old",
    ]


def test_a_noise_policy_that_acts_is_named():
    changes = {"wish": Wish(defer=True), "human": False, "noise_policy": "egg-dsbc@0123"}
    view = with_decision(source=Decision.SOURCE_NOISE_POLICY, **changes)
    assert text_of(view, "Decision") == "chunk 41, 0.4 s ago: the noise policy acts (egg-dsbc@0123)"
    assert text_of(view, "Wish") == "no input: the noise policy acts"


def test_starvation_is_counted():
    assert text_of(with_arm(), "Arm") == "chunk 41 row 3, lease 700 ms left; driven 320 ticks, starved 2 (0.6%)"


def test_wish_queue_and_last_accepted():
    view = dataclasses.replace(EMPTY, wish=LEFT, wish_at=9.9, queued=(Wish((0.0, 0.0, 1.0)),), taken=Taken(LEFT, 7.0))
    assert text_of(view, "Wish") == "left (+y), 0.1 s ago"
    assert text_of(view, "Queued") == "up (+z)"
    assert text_of(view, "Accepted") == "left (+y), 3.0 s ago"
    assert text_of(EMPTY, "Wish") == "no input: the policy acts"


def test_compass_turns_with_the_operator_and_marks_the_wish():
    straight = compass(dataclasses.replace(EMPTY, wish=LEFT))
    assert straight[0].strip() == "forward +x"
    assert straight[2].split() == ["[left", "+y]", "←", "┼", "→", "right", "-y"]
    flipped = compass(dataclasses.replace(EMPTY, wish=LEFT, flipped=True))
    assert flipped[0].strip() == "forward -x"
    assert flipped[2].split() == ["left", "-y", "←", "┼", "→", "[right", "+y]"]
    assert straight[5] == flipped[5]


def test_compass_fits_its_pane():
    for flipped in (False, True):
        for direction in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)):
            view = dataclasses.replace(EMPTY, flipped=flipped, wish=Wish(tuple(map(float, direction))))
            assert max(map(len, compass(view))) <= 29


def test_last_objection_of_the_gate_stays_readable():
    accepted, clipped = GateFacts(0, 0, ""), GateFacts(1, 11, "joint 4 was asked for 2.91 rad/s, limit 2.17 rad/s")
    view = dataclasses.replace(EMPTY, gate=Seen(accepted, 9.9), objection=Seen(clipped, 5.0))
    rows = screen(view).facts
    place = [row.label for row in rows].index("Gate")
    assert rows[place].text == "clipped 5.0 s ago: joint velocity"
    assert rows[place + 1].text == clipped.detail
    assert text_of(dataclasses.replace(view, objection=None), "Gate") == "nothing objected to"


def test_task_and_recorder():
    task = TaskFacts("egg_in_basket", "put the egg into the basket", 0, 3, 120, 450, False)
    recorder = RecorderFacts(True, "egg-0001", 1234, 0, 0, "")
    view = dataclasses.replace(EMPTY, task=Seen(task, 9.9), recorder=Seen(recorder, 9.9), steering=True)
    assert text_of(view, "Task") == "egg_in_basket, step 120 of 450: put the egg into the basket"
    assert text_of(view, "Recorder") == "RECORDING egg-0001, 1234 messages"
    still = dataclasses.replace(view, steering=False)
    assert text_of(still, "Recorder") == "RECORDING, but the STEERING IS OFF (a switches on): egg-0001"
    done = dataclasses.replace(task, success=True)
    lost = dataclasses.replace(recorder, lost=3, message="the disk is full")
    view = dataclasses.replace(EMPTY, task=Seen(done, 9.9), recorder=Seen(lost, 9.9))
    assert "SUCCESS" in text_of(view, "Task")
    assert text_of(view, "Recorder") == "LOST 3 records of egg-0001: the disk is full"


def test_an_alarm_of_the_recorder_goes_before_the_count_of_messages():
    silent = "camera/wrist/color/image_raw has not come for 2 s"
    recorder = RecorderFacts(True, "egg-0001", 1234, 0, 0, silent, silent)
    view = dataclasses.replace(EMPTY, recorder=Seen(recorder, 9.9), steering=False)
    assert text_of(view, "Recorder") == f"RECORDING, BUT {silent}"
    assert screen(view).facts[-1].tone == "bad"
    refused = dataclasses.replace(recorder, recording=False, alarm="not recording: can't write to /runs")
    view = dataclasses.replace(EMPTY, recorder=Seen(refused, 9.9))
    assert text_of(view, "Recorder") == "NOT RECORDING: can't write to /runs"
    assert screen(view).facts[-1].tone == "bad"


def test_missing_nodes_and_fresh_notes_only():
    notes = tuple(Note(f"note {number}", 9.0) for number in range(9)) + (Note("old", 10.0 - NOTE_TIME),)
    view = dataclasses.replace(EMPTY, absent=("recorder",), notes=notes)
    rows = screen(view).notes
    assert len(rows) == NOTES
    assert [row.text for row in rows] == ["not seen: recorder", "note 7", "note 8"]
