"""A line that is typed at the foot of the screen."""

from hypothesis import given
from hypothesis import strategies as st

from frs_teleop_cli.prompt import LONGEST, Prompt


def typed(*keys):
    prompt = Prompt()
    prompt.open()
    lines = [prompt.press(key, key if len(key) == 1 else None) for key in keys]
    return prompt, [line for line in lines if line is not None]


def test_a_line_is_typed_mended_and_kept():
    prompt, lines = typed(*"egg_fellx", "backspace", "up", "enter")
    assert lines == ["egg fell"]
    assert prompt.shown is None


def test_it_is_seen_and_can_be_dropped():
    prompt, lines = typed(*"no")
    assert prompt.shown.startswith("Note: no")
    prompt.press("escape", "\x1b")
    assert prompt.shown is None and lines == []


def test_an_empty_line_is_none():
    assert typed("_", "backspace", "backspace", "enter")[1] == []


@given(st.lists(st.characters(), max_size=3 * LONGEST))
def test_what_comes_out_is_one_printable_line_of_limited_length(letters):
    _, lines = typed(*letters, "enter")
    for line in lines:
        assert line.isprintable() and 0 < len(line) <= LONGEST
