"""What the deciding node says of itself."""

from __future__ import annotations

import pytest

from frs_steering.health.report import Level, without_figures
from frs_steering.health.steering import RECENT, Decisions, decisions_health, steering_health


@pytest.mark.parametrize(
    ("active", "why", "level", "words"),
    [
        (True, "", Level.OK, "active: it decides"),
        (True, "the arm is in a fault", Level.ERROR, "active, but can't decide: the arm is in a fault"),
        (False, "", Level.OK, "inactive: call flow_steering/activate"),
        (False, "no arm_state came", Level.WARN, "inactive; an activation would lack: no arm_state came"),
    ],
)
def test_active_or_why_not(active: bool, why: str, level: Level, words: str) -> None:
    said = steering_health(active=active, why=why, values={"mode": "steer"})
    assert said.level is level and said.message.startswith(words)
    assert said.values == {"mode": "steer", "what is in its way": why or "nothing"}


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (
            "the arm is in a fault: joint states are {:.2f} s old, limit 0.25 s",
            "active, but can't decide: the arm is in a fault: joint states are ... s old, limit ... s",
        ),
        (
            "arm_controller refused the arm: 'home' owns the arm and its lease runs for another {:.2f} s",
            "active, but can't decide: arm_controller refused the arm: 'home' owns the arm and its lease runs for"
            " another ... s",
        ),
    ],
)
def test_figures_change_and_the_words_do_not(why: str, words: str) -> None:
    said = [steering_health(active=True, why=why.format(age), values={}) for age in (0.38, 12.4)]
    assert [one.message for one in said] == [words, words]
    assert [one.values["what is in its way"] for one in said] == [why.format(0.38), why.format(12.4)]


def test_what_only_looks_like_a_figure_stays() -> None:
    words = "hand at 172.16.0.2: no word of fr3_joint4, camera 'wrist2', franky 2.0.0 for"
    assert without_figures(f"{words} 0.31 s, at -1.5 rad.") == f"{words} ... s, at ... rad."


def test_late_decisions_and_those_given_up_are_told_for_a_while() -> None:
    decisions = Decisions()
    assert decisions_health(decisions, 0, 0.0).message == "none yet"
    decisions.was_made(0.1, slack=0.5, now=1.0)
    assert decisions_health(decisions, 0, 1.0).message == "in time"
    decisions.was_made(0.6, slack=0.5, now=2.0)
    late = decisions_health(decisions, 4, 2.0)
    assert late.level is Level.WARN and "a decision took longer than the chunk before it had rows" in late.message
    assert (late.values["late"], late.values["the last one took [s]"]) == ("1", "0.60")
    assert late.values["control steps without a chunk"] == "4"
    decisions.was_given_up("the policy did not answer", now=2.5)
    given_up = decisions_health(decisions, 4, 2.6)
    assert given_up.level is Level.WARN and "gave a decision up" in given_up.message
    assert given_up.values["why the last one was given up"] == "the policy did not answer"
    assert decisions_health(decisions, 4, 2.5 + RECENT).level is Level.OK
