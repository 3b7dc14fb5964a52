"""Poses of the arm for training."""

import numpy as np

from frs_sim.layout import TABLE
from frs_sim.poses import CLOSE, HEIGHTS, REACHED, anywhere
from frs_steering.arm.robots import FR3
from frs_steering.robot.kinematics import tcp_pose


def test_the_hand_is_over_the_table_points_down_and_is_often_low_beside_a_thing() -> None:
    rng, thing = np.random.default_rng(0), np.array([0.5, 0.1, 0.02])
    joints = np.array([anywhere([thing], rng) for _ in range(300)])
    assert (joints > FR3.position_low).all() and (joints < FR3.position_high).all()
    poses = tcp_pose(joints)
    hand = poses[:, :3, 3]
    low, high = np.array([*zip(*TABLE, strict=True)])
    assert (hand[:, :2] > low - REACHED).all() and (hand[:, :2] < high + REACHED).all()
    assert (hand[:, 2] > HEIGHTS[0] - REACHED).all() and (hand[:, 2] < HEIGHTS[1] + REACHED).all()
    assert (poses[:, 2, 2] < -np.cos(0.8)).all()
    beside = (np.abs(hand - thing)[:, :2] <= CLOSE + REACHED).all(axis=1) & (hand[:, 2] < HEIGHTS[0] + CLOSE + REACHED)
    assert 0.4 < beside.mean() < 0.65
