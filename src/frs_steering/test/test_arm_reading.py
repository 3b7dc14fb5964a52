"""Joint states are taken by name and refused in words."""

import math

import numpy as np
import pytest

from frs_steering.arm.reading import ReadingError, read_joints
from frs_steering.robot.fr3 import FINGER_JOINT, JOINT_NAMES

NAMES = [FINGER_JOINT, *reversed(JOINT_NAMES), "fr3_finger_joint2"]
POSITIONS = [0.01, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.01]
VELOCITIES = [0.0, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0]


def test_joints_are_found_by_name_in_any_order() -> None:
    reading = read_joints(NAMES, POSITIONS, VELOCITIES)
    np.testing.assert_array_equal(reading.position, np.arange(1.0, 8.0))
    np.testing.assert_allclose(reading.velocity, np.arange(1, 8) / 10)
    assert reading.gripper == pytest.approx(0.75)


def test_a_missing_joint_is_named() -> None:
    with pytest.raises(ReadingError, match="joint state without fr3_joint7; it has fr3_finger_joint1, fr3_joint6"):
        read_joints([NAMES[0], *NAMES[2:]], POSITIONS[1:], VELOCITIES[1:])
    with pytest.raises(ReadingError, match="it has no joints"):
        read_joints([], [], [])


def test_a_missing_velocity_is_named() -> None:
    with pytest.raises(ReadingError, match="9 names, 9 positions, 0 velocities"):
        read_joints(NAMES, POSITIONS, [])


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_is_named(value: float) -> None:
    with pytest.raises(ReadingError, match=f"position {value} of fr3_joint7"):
        read_joints(NAMES, [0.01, value, *POSITIONS[2:]], VELOCITIES)
    with pytest.raises(ReadingError, match=f"velocity {value} of fr3_joint6"):
        read_joints(NAMES, POSITIONS, [0.0, 0.7, value, *VELOCITIES[3:]])
