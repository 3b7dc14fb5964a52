"""A driver's border: what it follows, and what it refuses."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frs_steering.arm.backends.commands import CommandError, arm_velocity, gripper_closing
from frs_steering.robot.fr3 import FINGER_JOINT, FINGER_OPEN, JOINT_NAMES

VELOCITIES = st.lists(st.floats(-3, 3), min_size=7, max_size=7)


@given(VELOCITIES, st.permutations(range(7)))
def test_joints_are_taken_by_name(values: list[float], order: list[int]) -> None:
    names = [JOINT_NAMES[i] for i in order]
    taken = arm_velocity(names, [], [values[i] for i in order])
    np.testing.assert_array_equal(taken, values)


@given(VELOCITIES, st.integers(0, 6), st.sampled_from([math.nan, math.inf, -math.inf]), st.booleans())
def test_what_is_not_finite_is_refused(values: list[float], at: int, bad: float, in_velocity: bool) -> None:
    spoilt = [*values[:at], bad, *values[at + 1 :]]
    positions, velocities = (values, spoilt) if in_velocity else (spoilt, values)
    with pytest.raises(CommandError, match="not finite"):
        arm_velocity(JOINT_NAMES, positions, velocities)


@pytest.mark.parametrize(
    ("names", "positions", "velocities", "message"),
    [
        (JOINT_NAMES[:6], [], [0.0] * 6, "joint_names"),
        ((*JOINT_NAMES[:6], "elbow"), [], [0.0] * 7, "elbow"),
        ((*JOINT_NAMES[:6], JOINT_NAMES[0]), [], [0.0] * 7, "joint_names"),
        (JOINT_NAMES, [], [], "velocities has 0 values; it must have 7"),
        (JOINT_NAMES, [0.0] * 8, [0.0] * 7, "positions has 8 values; it must have 7"),
    ],
)
def test_wrong_shapes_are_named(names: tuple, positions: list, velocities: list, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        arm_velocity(names, positions, velocities)


def test_gripper_is_given_in_metres() -> None:
    assert gripper_closing([FINGER_JOINT], [FINGER_OPEN]) == 0.0
    assert gripper_closing([FINGER_JOINT], [0.0]) == 1.0
    for names, positions in (([FINGER_JOINT], [math.nan]), ([FINGER_JOINT], []), (["thumb"], [0.0])):
        with pytest.raises(CommandError):
            gripper_closing(names, positions)
