"""A policy's description as the tests of the message borders need one."""

from __future__ import annotations

from frs_steering.policies.interface import PolicySpec
from frs_steering.robot.spaces import ActionSpace

SPEC = PolicySpec(
    name="embedded",
    weights_sha256="00ff",
    action_space=ActionSpace.CARTESIAN_VELOCITY,
    horizon=16,
    dim=7,
    execute_rows=8,
    row_duration=0.0625,
    frame_id="fr3_link0",
    dim_names=("vx", "vy", "vz", "wx", "wy", "wz", "gripper"),
    full_scale=(0.25, 0.25, 0.25, 1.0, 1.0, 1.0, 1.0),
    cameras=(),
)
