"""The distance of the arm to itself, against the meshes of MuJoCo's model."""

from __future__ import annotations

import fr3_model
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frs_steering.arm.envelope import breach
from frs_steering.arm.limits import Limits
from frs_steering.arm.self_collision import CLEARANCE, closeness
from frs_steering.robot.fr3 import RESET_POSITION
from frs_steering.robot.kinematics import wrist_and_tcp_poses

LIMITS = Limits()
MOVING = ("fr3_link5", "fr3_link6", "fr3_link7", "hand", "left_finger", "right_finger")
STANDING = ("fr3_link0", "fr3_link1", "fr3_link2")
LINKS = (*(f"fr3_link{i}" for i in range(8)), "hand", "left_finger", "right_finger")
FOLDED = {("fr3_link5", "fr3_link7"), ("fr3_link5", "hand")}
"""Pairs that are left out on purpose: they touch where joint 6 is folded."""
PERIOD = 1 / 15
NEAR_BASE = np.array([0.0, -1.2, 0.0, -2.6, 0.0, 1.6, 0.8])
"""The hand above and before the shoulder."""

seeds = st.integers(0, 2**32 - 1)


def ours(position: np.ndarray) -> float:
    each = position[None, None]
    return float(closeness(each, wrist_and_tcp_poses(each)).distances()[0, 0])


def test_no_other_pair_can_meet() -> None:
    """In 2,000 random configurations, but for neighbours."""
    rng = np.random.default_rng(0)
    watched = {(standing, moving) for standing in STANDING for moving in MOVING}
    others = [
        (some, other)
        for i, some in enumerate(LINKS)
        for other in LINKS[i + 2 :]
        if (some, other) not in watched | FOLDED | {("hand", "right_finger")}
    ]
    assert ("fr3_link3", "hand") in others
    for position in rng.uniform(LIMITS.position_low, LIMITS.position_high, (2000, 7)):
        met = [pair for pair in others if fr3_model.touches(position, *pair)]
        assert not met, f"{met} at {position}"
        if position[5] > 0.70:
            assert not any(fr3_model.touches(position, *pair) for pair in FOLDED)


@given(seed=seeds)
@settings(max_examples=300)
def test_it_is_never_larger_than_that_of_the_meshes(seed: int) -> None:
    position = np.random.default_rng(seed).uniform(LIMITS.position_low, LIMITS.position_high)
    assert ours(position) <= fr3_model.distance(position, MOVING, STANDING)


def test_nor_is_it_much_smaller() -> None:
    """Or the arm could not work where it can: where the meshes are closer than 10 cm, by 3 cm in the median."""
    rng = np.random.default_rng(0)
    positions = rng.uniform(LIMITS.position_low, LIMITS.position_high, (300, 7))
    truth = np.array([fr3_model.distance(position, MOVING, STANDING) for position in positions])
    short = np.array([distance - ours(position) for position, distance in zip(positions, truth, strict=True)])
    near = truth < 0.1
    assert near.sum() > 30
    assert np.median(short[near]) < 0.04
    assert ours(RESET_POSITION) > 0.09


@given(seed=seeds)
@settings(max_examples=100)
def test_squares_are_those_of_plain_geometry(seed: int) -> None:
    """The direction away from the nearest body is where the distance grows fastest: checked by moving the base."""
    rng = np.random.default_rng(seed)
    position = rng.uniform(LIMITS.position_low, LIMITS.position_high)[None, None]
    poses = wrist_and_tcp_poses(position)
    near = closeness(position, poses)
    away, _, _ = near.nearest(0, 0)
    assert np.linalg.norm(away) == pytest.approx(1.0)
    poses[..., :3, 3] += 1e-4 * away
    assert closeness(position, poses).distances()[0, 0] - near.distances()[0, 0] <= 1e-4 + 1e-9
    poses[..., :3, 3] -= 2e-4 * away
    assert closeness(position, poses).distances()[0, 0] - near.distances()[0, 0] == pytest.approx(-1e-4, abs=1e-6)


def test_a_motion_into_the_shoulder_is_named_and_one_away_from_it_is_not() -> None:
    position = NEAR_BASE
    velocity = np.array([0.0, -0.5, 0.0, -0.5, 0.0, 0.0, 0.0])
    wide = Limits(workspace_low=np.full(3, -1.2), workspace_high=np.full(3, 1.2), table_height=-1.0)
    for _ in range(40):
        wrong = breach(velocity, np.array([position, position]), wide, PERIOD)
        if wrong is not None:
            break
        position = position + velocity * PERIOD
    assert wrong is not None and "m, limit 0.005 m" in wrong.where
    assert ours(position) >= CLEARANCE
    assert breach(-velocity, np.array([position, position]), wide, PERIOD) is None
