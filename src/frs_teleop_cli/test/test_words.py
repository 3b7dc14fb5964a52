"""Numbers and constants in words, whatever they are."""

import math
import unicodedata

import pytest
from frs_msgs.msg import ArmState, Decision, GateReport, Guidance
from hypothesis import given
from hypothesis import strategies as st

from frs_teleop_cli import words
from frs_teleop_cli.wishes import Wish


def constants(message, prefix=""):
    values = {name: getattr(message, name) for name in dir(message) if name.isupper() and name.startswith(prefix)}
    return {name: value for name, value in values.items() if isinstance(value, int)}


def test_every_constant_of_the_messages_has_words():
    assert set(words.ARM_STATES) == set(constants(ArmState).values())
    assert set(words.SOURCES) == set(constants(Decision, "SOURCE_").values())
    reasons = constants(GateReport, "REASON_")
    assert set(words.REASONS) == set(reasons.values())
    assert set(words.VERDICTS) == {value for name, value in constants(GateReport).items() if name not in reasons}


@given(st.text())
def test_clean_text_can_not_steer_the_terminal(text):
    cleaned = words.clean(text, 20)
    assert len(cleaned) <= 20
    assert not any(unicodedata.category(letter).startswith("C") for letter in cleaned)


def test_clean_takes_the_sting_out_of_escape_sequences():
    assert words.clean("a\x1b[2Jb\nc") == "a [2Jb c"


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "?"), (0.0341, "34 ms"), (0.9999, "1.0 s"), (12.34, "12.3 s"), (123.4, "123 s")]
)
def test_span(seconds, text):
    assert words.span(seconds) == text


@pytest.mark.parametrize(("number", "text"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (62, "62nd")])
def test_ordinal(number, text):
    assert words.ordinal(number) == text


def test_directions_are_named_as_the_operator_sees_them():
    assert words.way((0.0, 1.0, 0.0), flipped=False) == "left (+y)"
    assert words.way((0.0, 1.0, 0.0), flipped=True) == "right (+y)"
    assert words.way((0.0, 0.0, -1.0), flipped=True) == "down (-z)"


def test_wishes_in_words():
    both = Wish((1.0, 0.0, 0.0), Guidance.GRIPPER_CLOSE, amount=0.5)
    assert words.wish(both, flipped=False) == "forward (+x) less, close the gripper"
    assert words.wish(Wish(defer=True), flipped=False) == "let the policy act"
    assert words.wish(Wish(), flipped=False) == "nothing"


@given(st.tuples(*[st.floats()] * 3), st.integers(0, 255), st.floats(), st.booleans())
def test_any_wish_has_words(direction, gripper, amount, flipped):
    text = words.wish(Wish(direction, gripper, amount), flipped)
    assert text
    assert "nan" not in text


@given(st.floats())
def test_finite(value):
    assert words.finite(value) == (value if math.isfinite(value) else None)
