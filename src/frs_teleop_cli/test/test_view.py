"""From messages to facts to a screen: sensible for sensible messages, and never failing for others."""

import dataclasses
import unicodedata

import pytest
from frs_msgs.msg import ArmState, Decision, GateReport, Guidance, PolicyInfo, RecorderState, TaskState
from hypothesis import given, settings
from hypothesis import strategies as st

from frs_teleop_cli import view as facts
from frs_teleop_cli.screen import screen
from frs_teleop_cli.view import Seen, View, ticks_to_decision
from frs_teleop_cli.wishes import Wish

NUMBER = st.floats(width=32)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=300)


def made(kind, **fields):
    return st.builds(kind, **fields)


ARMS = made(
    ArmState,
    state=st.integers(0, 255),
    tick=st.integers(0, 2**64 - 1),
    chunk_id=st.integers(0, 2**64 - 1),
    row=st.integers(-(2**31), 2**31 - 1),
    owner=TEXT,
    lease_remaining=NUMBER,
    ticks_driven=st.integers(0, 2**64 - 1),
    ticks_starved=st.integers(0, 2**64 - 1),
    message=TEXT,
)
POLICIES = made(PolicyInfo, name=TEXT, execute_rows=st.integers(0, 65535), row_duration=NUMBER)
GATES = made(GateReport, verdict=st.integers(0, 255), reason=st.integers(0, 255), detail=TEXT)
TASKS = made(TaskState, task=TEXT, instruction=TEXT, step=st.integers(0, 2**32 - 1), success=st.booleans())
RECORDERS = made(
    RecorderState,
    recording=st.booleans(),
    path=TEXT,
    messages=st.integers(0, 2**64 - 1),
    dropped_control=st.integers(0, 9),
    dropped_images=st.integers(0, 9),
    message=TEXT,
)


@st.composite
def decisions(draw):
    message = Decision(
        chunk_id=draw(st.integers(0, 2**64 - 1)),
        source=draw(st.integers(0, 255)),
        method=draw(TEXT),
        deferred=draw(st.booleans()),
        defer_reason=draw(TEXT),
    )
    message.guidance = draw(made(Guidance, author=TEXT, defer=st.booleans(), gripper=st.integers(0, 255)))
    message.guidance.amount = draw(NUMBER)
    wished = message.guidance.direction
    wished.x, wished.y, wished.z = draw(st.floats()), draw(st.floats()), draw(st.floats())
    message.diagnostics.agreement, message.diagnostics.noise_percentile = draw(NUMBER), draw(NUMBER)
    for name in ("camera_age", "encode", "reverse", "denoise", "total"):
        setattr(message.timings, name, draw(NUMBER))
    return message


def seen(value, at=0.0):
    return Seen(value, at)


@settings(max_examples=60, deadline=None)
@given(ARMS, decisions(), GATES, RECORDERS, TASKS, POLICIES, st.booleans(), st.floats(0, 1e6))
def test_no_message_breaks_the_screen(arm, decision, gate, recorder, task, policy, flipped, later):
    view = View(
        now=later,
        started=0.0,
        arm=seen(facts.arm_facts(arm)),
        decision=seen(facts.decision_facts(decision)),
        gate=seen(facts.gate_facts(gate)),
        objection=seen(facts.gate_facts(gate)),
        recorder=seen(facts.recorder_facts(recorder)),
        task=seen(facts.task_facts(task)),
        policy=seen(facts.policy_facts(policy)),
        wish=facts.wish_in(decision.guidance),
        flipped=flipped,
    )
    shown = screen(view)
    text = "".join(
        [*shown.compass] + [row.label + row.text for row in (shown.banner, *shown.wishes, *shown.facts, *shown.notes)]
    )
    assert not [letter for letter in text if unicodedata.category(letter).startswith("C")]


def test_wish_of_a_decision_that_deferred_keeps_its_direction():
    message = Guidance(defer=True)
    message.direction.y = 1.0
    assert facts.wish_in(message) == Wish((0.0, 1.0, 0.0), amount=0.0)
    assert facts.wish_in(Guidance(defer=True)) == Wish(defer=True)


def test_recording_is_named_without_folder_and_endings():
    path = "/runs/egg-0/egg-0.mcap.partial"
    found = facts.recorder_facts(RecorderState(recording=True, path=path, message=f"recording to {path}"))
    assert found.name == "egg-0"
    assert found.message == "recording to egg-0"
    assert facts.recorder_facts(RecorderState(message="ready")).message == "ready"


@pytest.mark.parametrize(
    ("recording", "message", "alarm"),
    [
        (True, "recording to /r/egg.mcap.partial", ""),
        (True, "recording to /r/egg.mcap.partial; joint_states never came", "joint_states never came"),
        (
            True,
            "camera/wrist/color/image_raw has not come for 2 s",
            "camera/wrist/color/image_raw has not come for 2 s",
        ),
        (False, "", ""),
        (False, "ready", ""),
        (False, "77 messages in /r/egg.mcap; 0 control records lost, 0 images left out", ""),
        (False, "not recording: can't write to /r", "not recording: can't write to /r"),
        (False, "No space left on device", "No space left on device"),
    ],
)
def test_what_the_recorder_finds_amiss_is_an_alarm(recording, message, alarm):
    state = RecorderState(recording=recording, path="/r/egg.mcap.partial", message=message)
    assert facts.recorder_facts(state).alarm == alarm


def test_directions_are_rounded_to_the_axes():
    message = Guidance(amount=1.0)
    message.direction.x, message.direction.z = -0.99999, 1e-9
    assert facts.wish_in(message) == Wish((-1.0, 0.0, 0.0))


@pytest.mark.parametrize(("row", "ticks"), [(0, 6), (5, 1), (6, 0), (12, 0), (-1, None)])
def test_countdown_to_the_decision(row, ticks):
    policy = PolicyInfo(execute_rows=8, row_duration=1 / 15)
    view = View(
        now=0.0,
        started=0.0,
        lead=2,
        arm=seen(facts.arm_facts(ArmState(state=ArmState.RUNNING, chunk_id=1, row=row))),
        policy=seen(facts.policy_facts(policy)),
    )
    assert ticks_to_decision(view) == ticks
    assert ticks_to_decision(dataclasses.replace(view, policy=None)) is None
