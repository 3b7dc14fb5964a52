"""Methods as text and as checked values."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frs_steering.flow import INTEGRATORS
from frs_steering.steer.method import Method, MethodError, parse_method
from frs_steering.steer.sources import SOURCES

VALUES = {
    "steps": st.integers(1, 1000),
    "integrator": st.sampled_from(INTEGRATORS),
    "delegate": st.booleans(),
    "max_length": st.one_of(st.just(math.inf), st.floats(0.1, 50)),
    "sigma": st.floats(0, 10),
    "strength": st.floats(0, 1, exclude_min=True),
    "candidates": st.integers(1, 1000),
    "noise": st.sampled_from(["full", "tiled", "dct3"]),
}


@st.composite
def methods(draw: st.DrawFn) -> Method:
    """Any method that there is."""
    source = draw(st.sampled_from(sorted(SOURCES)))
    values = {name: draw(VALUES[name]) for name in SOURCES[source].settings if name in VALUES}
    if values.get("integrator") == "fixed_point" and "iterations" in SOURCES[source].settings:
        values["iterations"] = draw(st.integers(1, 100))
    return Method(source, **values)


@given(methods())
def test_the_text_gives_the_method_back(method: Method) -> None:
    assert parse_method(str(method)) == method
    assert parse_method(f"  {method} ") == method


@given(st.integers(0, 20), st.integers(0, 20), st.booleans(), st.lists(st.booleans(), min_size=1, max_size=9))
def test_what_is_commanded(execute_rows: int, ahead: int, delegate: bool, dims: list[bool]) -> None:
    kept = Method(ahead=ahead, delegate=delegate).commanded(np.array(dims), 16, execute_rows)
    assert kept.shape == (16, len(dims))
    for row, column in np.ndindex(kept.shape):
        assert kept[row, column] == (not delegate or (dims[column] and row < execute_rows + ahead))
    tiled = Method(ahead=ahead, delegate=delegate, noise="tiled").commanded(np.array(dims), 16, execute_rows)
    assert (tiled == (np.array(dims) | (not delegate))).all(), "its rows can't be told apart"


def test_the_text_says_only_what_differs_from_the_defaults() -> None:
    assert str(Method()) == "frs"
    assert str(parse_method("frs:steps=10,delegate=yes")) == "frs"
    assert str(Method("partial", strength=0.25)) == "partial:strength=0.25"
    assert str(parse_method("frs:delegate=no,integrator=fixed_point")) == "frs:integrator=fixed_point,delegate=no"
    assert parse_method("rank: candidates = 4") == Method("rank", candidates=4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "method is ''; it must be one of base, frs, direct, translation, partial, rank, noise"),
        ("magic:steps=3", "method is 'magic'; it must be one of base, frs, direct"),
        ("frs:", "ends in ':'; settings must follow"),
        ("frs:strength=1", "method 'frs' has no setting 'strength'; it has steps, integrator"),
        ("direct:steps=3", "method 'direct' has no setting 'steps'; it has none"),
        ("frs:steps=ten", "steps is 'ten'; it must be a whole number"),
        ("frs:steps=0", r"steps is 0; it must lie in \[1, 1000\]"),
        ("frs:steps", "must give each setting once, as steps=VALUE"),
        ("frs:steps=3,steps=4", "must give each setting once, as steps=VALUE"),
        ("frs:delegate=maybe", "delegate is 'maybe'; it must be yes or no"),
        ("frs:iterations=3", "iterations is 3 but integrator is 'euler'"),
        ("frs:integrator=rk4", "integrator is 'rk4'; it must be one of euler, midpoint, fixed_point"),
        ("frs:noise=dct0", "noise is 'dct0'; it must be full, tiled, or dct<k>"),
        ("frs:sigma=-1", r"sigma is -1.0; it must lie in \[0.0, 10.0\]"),
        ("frs:max_length=0", r"max_length is 0.0; it must lie in \[0.1, inf\]"),
        ("partial:strength=nan", r"strength is nan; it must lie in \[0.0, 1.0\]"),
        ("partial:strength=0", "strength is 0.0; it must be above 0"),
    ],
)
def test_what_makes_no_sense_is_named(text: str, words: str) -> None:
    with pytest.raises(MethodError, match=words):
        parse_method(text)


def test_a_setting_of_another_source_is_refused_in_code_too() -> None:
    with pytest.raises(MethodError, match="method 'base' has no setting 'delegate'"):
        Method("base", delegate=False)


@given(methods())
def test_what_acts_alone_is_the_base_policy_with_as_many_steps(method: Method) -> None:
    alone = method.alone()
    assert (alone.source, alone.steps) == ("base", method.steps)
    assert alone.alone() == alone


def test_a_process_that_only_names_a_method_does_not_load_torch() -> None:
    code = "import sys; from frs_steering.steer.method import parse_method; parse_method('rank'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "torch" not in done.stdout.split()
