"""What chunks do to the tool centre point."""

from __future__ import annotations

import numpy as np
from policy_examples import JOINTS, POSITIONS, SPEC

from frs_steering.robot.fr3 import RESET_POSITION
from frs_steering.robot.kinematics import tcp_pose
from frs_steering.steer.motion import translation


def test_cartesian_rows_are_summed() -> None:
    chunk = np.zeros((16, 7), np.float32)
    chunk[:8, 0], chunk[:, 5] = 0.1, 1.0
    np.testing.assert_allclose(translation(chunk, SPEC, RESET_POSITION), [8 * 0.1 * 0.0625, 0, 0], rtol=1e-6)


def test_joint_rows_go_where_the_joints_go() -> None:
    rows = np.random.default_rng(0).normal(0.0, 0.2, (16, 8)).astype(np.float32)
    end = RESET_POSITION + rows[:, :7].astype(np.float64).sum(0) * JOINTS.row_duration
    moved = tcp_pose(end)[:3, 3] - tcp_pose(RESET_POSITION)[:3, 3]
    np.testing.assert_allclose(translation(rows, JOINTS, RESET_POSITION), moved, atol=1e-9)
    at_end = np.tile(np.append(end, 0.0), (16, 1))
    np.testing.assert_allclose(translation(at_end, POSITIONS, RESET_POSITION), moved, atol=1e-9)
