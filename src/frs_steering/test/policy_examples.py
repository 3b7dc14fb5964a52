"""Policies' descriptions for the tests: Cartesian, as the embedded policy's, and two that act in joints."""

from __future__ import annotations

import dataclasses

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
    feature_parts=(4, 3, 3),
)

JOINTS = dataclasses.replace(
    SPEC,
    name="joints",
    action_space=ActionSpace.JOINT_VELOCITY,
    dim=8,
    dim_names=(*(f"j{i}" for i in range(1, 8)), "gripper"),
    full_scale=(2.0,) * 7 + (1.0,),
)
POSITIONS = dataclasses.replace(JOINTS, name="positions", action_space=ActionSpace.JOINT_POSITION)
