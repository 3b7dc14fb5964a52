"""Limits are checked when they are made, against what the robot allows."""

import xml.etree.ElementTree as ElementTree
from typing import Any

import fr3_model
import numpy as np
import pytest

from frs_steering.arm.limits import Limits, limits_of
from frs_steering.arm.robots import FR3, PANDA, ROBOTS, Robot


@pytest.mark.parametrize("robot", ROBOTS.values(), ids=ROBOTS.keys())
def test_the_defaults_are_below_the_robots_own(robot: Robot) -> None:
    limits = limits_of(robot)
    assert np.all(limits.velocity < robot.velocity)
    assert np.all(limits.acceleration < robot.acceleration)
    assert np.all(limits.position_low > robot.position_low)
    assert np.all(limits.position_high < robot.position_high)
    assert limits.linear_speed < robot.linear_speed
    # Every joint rests three control steps after full speed.
    assert np.all(limits.velocity / limits.acceleration <= 3 / 15 + 1e-12)


def test_without_a_robot_they_are_the_fr3s() -> None:
    for field, ours in vars(limits_of(FR3)).items():
        np.testing.assert_array_equal(getattr(Limits(), field), ours, field)


def test_they_are_told_in_one_line() -> None:
    slow = limits_of(FR3, velocity=np.full(7, 0.13), table_height=-0.02)
    assert slow.in_words() == (
        "fr3, joints up to 0.13 rad/s and 8 rad/s^2, TCP up to 0.5 m/s and 2 rad/s, "
        "from [0.2, -0.5, 0.0] to [0.8, 0.5, 0.8] m, table at -0.02 m"
    )


def test_a_panda_has_limits_of_its_own() -> None:
    assert limits_of(PANDA).position_high[5] == pytest.approx(3.7025)
    with pytest.raises(ValueError, match="limit linear_speed is 2"):
        limits_of(PANDA, linear_speed=2.0)
    with pytest.raises(ValueError, match="limit position_low"):
        Limits(robot=PANDA)  # the FR3's joint 7 goes further


def test_the_fr3s_limits_are_within_those_of_its_description() -> None:
    """franky-sim carries a newer description of the FR3, with wider ranges and a newer curve near their ends."""
    joints = ElementTree.parse(fr3_model.folder() / "assets" / "fr3.urdf").getroot().findall("joint")
    for i in range(7):
        (joint,) = (joint for joint in joints if joint.get("name") == f"fr3_joint{i + 1}")
        limit, curve = joint.find("limit"), joint.find("position_based_velocity_limits")
        assert limit is not None
        assert curve is not None
        low, high, speed = (float(limit.get(name, "nan")) for name in ("lower", "upper", "velocity"))
        assert low <= FR3.position_low[i] < FR3.position_high[i] <= high
        assert FR3.velocity[i] == speed
        gain, offset = 2 * float(curve.get("deceleration_limit", "nan")), float(curve.get("velocity_offset", "nan"))
        assert FR3.approach is not None
        assert FR3.approach.gain[i] == pytest.approx(gain)
        # Where the gate lets a joint go, and up to its greatest speed, ours is the lower one.
        there = np.linspace(FR3.position_high[i] - 1.0, Limits().position_high[i], 200)
        held = np.sqrt(FR3.approach.gain[i] * (FR3.approach.high[i] - there)) - FR3.approach.offset[i]
        newer = np.sqrt(gain * (high - there)) - offset
        assert np.all(np.minimum(held, Limits().velocity[i]) <= newer + 1e-12)


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


def test_steps_too_short_for_the_jerk_are_named() -> None:
    Limits().check_period(1 / 100)
    with pytest.raises(ValueError, match=r"a control step is 0.001 s; it must last 0.00320 s or more"):
        Limits().check_period(0.001)
