"""Where the arm may be put at once, for training: anywhere over the table, half of the time close to a thing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from frs_sim.layout import TABLE
from frs_steering.robot.fr3 import RESET_POSITION
from frs_steering.robot.kinematics import joint_velocity, tcp_pose

HEIGHTS = (0.03, 0.35)  # m, of the TCP
CLOSE = 0.08  # m, a pose close to a thing is at most that far beside it
YAW = 0.8  # rad, of the hand: somewhat more than loose things are turned
TILT = 0.1  # rad, standard deviation
REACHED = 0.002  # m
STEPS = 20  # of the way there


def anywhere(there: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Joint positions (7,) [rad] with the hand pointing down, more or less.

    Args:
        there: positions of things (3,) [m]; half of the poses are close to one of them.
        rng: draws the pose.
    """
    while True:
        at = np.array([rng.uniform(*TABLE[0]), rng.uniform(*TABLE[1]), rng.uniform(*HEIGHTS)])
        if rng.random() < 0.5:
            near = there[int(rng.integers(len(there)))]
            at = np.array([*(near[:2] + rng.uniform(-CLOSE, CLOSE, 2)), rng.uniform(HEIGHTS[0], HEIGHTS[0] + CLOSE)])
        turned = np.array([*rng.normal(0.0, TILT, 2), rng.uniform(-YAW, YAW)])
        joints = reach(at, turned)
        if np.linalg.norm(tcp_pose(joints)[:3, 3] - at) < REACHED:
            return joints


def reach(at: np.ndarray, turned: np.ndarray) -> np.ndarray:
    """Joint positions that bring the TCP to `at` (3,) m, turned by a rotation vector (3,) rad from the reset's pose."""
    joints, start = np.array(RESET_POSITION), tcp_pose(RESET_POSITION)[:3, 3]
    for step in range(STEPS):
        goal = start + (at - start) * (step + 1) / STEPS
        joints = joints + joint_velocity(joints, np.array([*(goal - tcp_pose(joints)[:3, 3]), *(turned / STEPS)]))
    return joints
