"""What a chunk does to the tool centre point, whatever its columns mean."""

from __future__ import annotations

import numpy as np

from frs_steering.policies.interface import PolicySpec
from frs_steering.robot.kinematics import tcp_pose
from frs_steering.robot.spaces import ActionSpace


def translation(chunk: np.ndarray, spec: PolicySpec, joint_position: np.ndarray) -> np.ndarray:
    """How far the TCP goes over a chunk if nothing limits it: (3,) [m].

    Args:
        chunk: (H, D) SI.
        spec: says what the columns mean.
        joint_position: (7,) [rad] at which the chunk begins; joint columns are resolved from there.

    Returns:
        In the chunk's frame for Cartesian columns, in the base frame for joint columns.
    """
    if spec.action_space is ActionSpace.CARTESIAN_VELOCITY:
        return np.asarray(chunk[:, :3], np.float64).sum(0) * spec.row_duration
    begin = np.asarray(joint_position, np.float64)
    columns = np.asarray(chunk[:, :7], np.float64)
    velocity = spec.action_space is ActionSpace.JOINT_VELOCITY
    end = begin + columns.sum(0) * spec.row_duration if velocity else columns[-1]
    return tcp_pose(end)[:3, 3] - tcp_pose(begin)[:3, 3]
