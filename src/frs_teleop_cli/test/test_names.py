"""Names of files out of any text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frs_steering.record.writer import Episode
from frs_teleop_cli.names import file_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("operator", "operator"),
        ("Jane Doe", "Jane_Doe"),
        ("Jörg  Müller", "Jorg_Muller"),
        ("../../etc/passwd", "etc_passwd"),
        ("put the egg in the basket!", "put_the_egg_in_the_basket"),
        ("太郎", "nobody"),
        ("", "nobody"),
    ],
)
def test_what_is_not_allowed_is_replaced(text, name):
    assert file_name(text, "nobody") == name


@given(st.text())
def test_the_recorder_takes_every_name(text):
    name = file_name(text, "nobody")
    Episode(f"{name}-20260101-120000")  # raises where it does not
    assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
