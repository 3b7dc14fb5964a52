"""What a row of a chunk asks for."""

from __future__ import annotations

import numpy as np
import pytest

from frs_steering.arm.chunk import requested_gripper


@pytest.mark.parametrize(
    ("value", "asked"), [(0.0, 0.0), (0.5, 0.0), (0.51, 1.0), (1.0, 1.0), (-0.2, -0.2), (1.3, 1.3)]
)
def test_the_gripper_is_opened_or_closed_and_what_is_out_of_range_is_left_to_the_gate(
    value: float, asked: float
) -> None:
    assert requested_gripper(np.array([0.1] * 6 + [value])) == asked
