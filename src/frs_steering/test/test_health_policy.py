"""What the policy's node says of itself."""

from __future__ import annotations

import pytest

from frs_steering.health.policy import HANGS, RECENT, Queries, Streams, inputs_health, policy_health
from frs_steering.health.report import Level

WRIST, JOINTS = "camera 'wrist'", "joint_states"


def fed(now: float) -> Streams:
    streams = Streams({WRIST: 0.2, JOINTS: 0.2})
    for number in range(3):
        streams.saw(WRIST, number, now)
        streams.saw(JOINTS, number, now)
    return streams


def test_fresh_streams_are_well_and_told_with_their_ages() -> None:
    said = inputs_health(fed(10.0).at(10.1), "")
    assert said.level is Level.OK
    ages = {"age of camera 'wrist' [s]": "0.10", "age of joint_states [s]": "0.10"}
    assert said.values == ages | {"what is in its way": "nothing"}


def test_missing_stopped_and_frozen_streams_are_told_apart() -> None:
    missing = Streams({WRIST: 0.2})
    said = inputs_health(missing.at(1.0), "camera 'wrist' never came")
    assert said.level is Level.ERROR and said.message.startswith("camera 'wrist' never came: start its driver")
    streams = fed(10.0)
    for now in (10.2, 10.4):
        streams.saw(WRIST, 2, now)  # again with the stamp of before
    said = inputs_health(streams.at(10.5), "")
    assert "camera 'wrist' is frozen: it comes, but always with the same stamp" in said.message
    assert "; joint_states has stopped coming" in said.message
    assert said.level is Level.ERROR
    assert inputs_health(streams.at(11.0), "").message == inputs_health(streams.at(12.0), "").message


def test_what_else_keeps_the_policy_from_seeing_is_told_in_its_words() -> None:
    said = inputs_health(fed(10.0).at(10.1), "no instruction came yet")
    assert (said.level, said.message) == (Level.ERROR, "no instruction came yet")
    skew = "camera 'wrist' is stamped 0.204 s before joint 'fr3_joint1'; at most 0.200 s allowed"
    said = inputs_health(fed(10.0).at(10.1), skew)
    assert said.message == "camera 'wrist' is stamped ... s before joint 'fr3_joint1'; at most ... s allowed"
    assert said.values["what is in its way"] == skew


def test_a_policy_that_answers_refuses_and_hangs() -> None:
    queries = Queries()
    assert policy_health("small", "ab" * 32, queries, 0.0).message == "'small' is loaded and answers"
    queries.begun(10.0)
    queries.ended(10.1, "")
    said = policy_health("small", "ab" * 32, queries, 10.2)
    assert (said.level, said.values["the last one took [s]"], said.values["weights"]) == (Level.OK, "0.10", "ab" * 6)
    queries.begun(11.0)
    queries.ended(11.0, "camera 'wrist' is 0.31 s old")
    said = policy_health("small", "", queries, 11.1)
    assert said.level is Level.WARN and said.values["last refusal"] == "camera 'wrist' is 0.31 s old"
    assert policy_health("small", "", queries, 11.0 + RECENT).level is Level.OK
    queries.begun(20.0)
    assert policy_health("small", "", queries, 20.0 + HANGS).level is Level.OK
    said = policy_health("small", "", queries, 20.1 + HANGS)
    assert said.level is Level.ERROR and "the network hangs" in said.message


@pytest.mark.parametrize("refusals", [0, 3])
def test_queries_are_counted(refusals: int) -> None:
    queries = Queries()
    for number in range(5):
        queries.begun(float(number))
        queries.ended(number + 0.5, "no" if number < refusals else "")
    assert (queries.answered, queries.refused, queries.took) == (5 - refusals, refusals, 0.5)
