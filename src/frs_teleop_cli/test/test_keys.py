"""The table of keys: complete, without contradictions, and the same in the guide."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frs_teleop_cli.keys import KEYS, Act, flip, key_named, markdown_table, summary

GUIDE = Path(__file__).parents[3] / "docs" / "operator.md"


def test_every_act_has_a_key_and_every_key_one_act():
    assert {key.act for key in KEYS} == set(Act)
    assert max(Counter(name for key in KEYS for name in key.names).values()) == 1


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("up", (1, 0, 0)),
        ("i", (1, 0, 0)),
        ("down", (-1, 0, 0)),
        ("k", (-1, 0, 0)),
        ("left", (0, 1, 0)),
        ("j", (0, 1, 0)),
        ("right", (0, -1, 0)),
        ("l", (0, -1, 0)),
        ("w", (0, 0, 1)),
        ("pageup", (0, 0, 1)),
        ("s", (0, 0, -1)),
        ("pagedown", (0, 0, -1)),
    ],
)
def test_six_directions(name, direction):
    key = key_named(name)
    assert key is not None
    assert key.act is Act.MOVE
    assert key.direction == direction


def test_tail_of_a_split_arrow_key_does_nothing():
    assert [key_named(letter) for letter in "ABCDOHF[~56"] == [None] * 11


@given(st.tuples(*[st.sampled_from((-1.0, 0.0, 1.0))] * 3))
def test_flipping_twice_is_flipping_not_at_all(direction):
    assert flip(flip(direction)) == direction
    assert flip(direction)[2] == direction[2]


def test_foot_of_the_screen_names_every_key():
    text = " ".join(summary())
    assert all(key.shown.split()[0] in text for key in KEYS)
    assert text.startswith("space STOP")


def test_guide_holds_the_table():
    assert markdown_table() in GUIDE.read_text(encoding="utf-8")
