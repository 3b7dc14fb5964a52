"""Limits are checked when they are made."""

from typing import Any

import numpy as np
import pytest

from frs_steering.arm.limits import FR3_POSITION_HIGH, FR3_VELOCITY, Limits


def test_the_defaults_are_below_the_robots_own() -> None:
    limits = Limits()
    assert np.all(limits.velocity < FR3_VELOCITY)
    assert np.all(limits.position_high < FR3_POSITION_HIGH)
    # Every joint rests four control steps after full speed.
    assert np.all(limits.velocity / limits.acceleration <= 4 / 15)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"velocity": np.full(7, 3.0)}, "limit velocity is"),
        ({"velocity": np.full(6, 1.0)}, r"shape \(7,\)"),
        ({"acceleration": np.full(7, 11.0)}, "limit acceleration"),
        ({"linear_speed": 3.5}, r"limit linear_speed is 3.5; it must lie in \[0., 3.\]"),
        ({"angular_speed": float("nan")}, "limit angular_speed is nan"),
        ({"workspace_high": np.array([0.1, 0.5, 0.8])}, "limit workspace_high"),
        ({"table_height": 0.9}, "limit table_height"),
    ],
)
def test_a_bad_limit_is_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Limits(**change)
