"""Control steps as frames of a LeRobotDataset: DROID's keys, and what steering adds to them.

The names, axes and meanings of DROID's keys are those of LeRobot's own conversion of DROID
(huggingface/lerobot, examples/port_datasets/port_droid.py). Every frame is 1/15 s, as in DROID.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from frs_steering.record.errors import JournalError
from frs_steering.record.steps import ControlStep

RATE = 15  # Hz
FULL_SCALE = 0.2 * RATE
"""rad/s that DROID's joint velocity of 1 stands for: 0.2 rad a step (`relative_max_joint_delta` of its IK solver)."""
VIDEOS = {"exterior": "observation.images.exterior_1_left", "wrist": "observation.images.wrist_left"}
"""Camera -> DROID's key."""
DIAGNOSTICS = ("noise_percentile", "round_trip_rms", "agreement", "fixed_point_residual")
"""Fields of frs_msgs/FlowDiagnostics by which chunks may be left out of a training."""

_JOINTS = [f"joint_{number}" for number in range(7)]
_POSE = ["x", "y", "z", "roll", "pitch", "yaw"]


@dataclass(frozen=True)
class Feature:
    """One column: "float32", "int64", "bool" or "string"; how many numbers; the names of its axes where it has any."""

    dtype: str
    size: int = 1
    axes: tuple[str, ...] = ()


def features(noise: int, pooled: int) -> dict[str, Feature]:
    """Every column but the videos'; `noise` = H * D and `pooled` = F numbers come from the policy."""

    def numbers(axes: list[str]) -> Feature:
        return Feature("float32", len(axes), tuple(axes))

    return {
        "is_first": Feature("bool"),
        "is_last": Feature("bool"),
        "is_terminal": Feature("bool"),
        "is_episode_successful": Feature("bool"),
        "language_instruction": Feature("string"),
        "observation.state.gripper_position": numbers(["gripper"]),
        "observation.state.cartesian_position": numbers(_POSE),
        "observation.state.joint_position": numbers(_JOINTS),
        "observation.state": numbers([*_JOINTS, "gripper"]),
        "action.gripper_position": numbers(["gripper"]),
        "action.joint_position": numbers(_JOINTS),  # where the command leads within the step
        "action.joint_velocity": numbers(_JOINTS),  # what passed the gate, 1 for FULL_SCALE
        "action": numbers([*_JOINTS, "gripper"]),  # joint position and gripper, as LeRobot's conversion has it
        "discount": Feature("float32"),
        "reward": Feature("float32"),  # 1 on the last step of a success, else 0
        "frs.joint_velocity": numbers(_JOINTS),  # rad/s, what passed the gate
        "frs.source": Feature("int64"),  # who steered: SOURCE_* of frs_msgs/Decision
        "frs.method": Feature("string"),
        "frs.guidance": numbers(["x", "y", "z", "amount", "gripper", "defer"]),  # as in frs_msgs/Guidance
        "frs.row": Feature("int64"),  # of the chunk; -1 where the arm held
        "frs.noise": Feature("float32", noise),  # (H, D) row-major, behind the chunk that drives; NaN where none was
        "frs.commanded": Feature("bool", noise),  # (H, D) row-major, of frs.noise; the rest of it was fresh
        "frs.features": Feature("float32", pooled),  # the policy's, of the observation of that chunk
        "frs.feature_part": Feature("int64", pooled),  # number of the part that each feature belongs to, from 0
        "frs.chunk": Feature("float32", noise),  # (H, D) row-major, SI units, as it was sent
        "frs.horizon": Feature("int64"),  # H
        "frs.proprioception": numbers([*_JOINTS, "gripper"]),  # as measured when it was decided
        "frs.diagnostics": numbers(list(DIAGNOSTICS)),  # of that chunk; NaN where not applicable
        "frs.policy": Feature("string"),
        "frs.weights_sha256": Feature("string"),
    }


def feature_parts(decision: Any) -> tuple[int, ...]:
    """Sizes of what belongs together in a decision's features; those of older recordings don't tell: all of them."""
    return tuple(getattr(decision, "feature_parts", ())) or (len(getattr(decision, "features", ())),)


def commanded(decision: Any) -> np.ndarray:
    """(H, D) bool, which of a decision's latents the guidance commanded; older recordings tell it of dimensions only.

    Raises:
        JournalError: the decision's mask is of neither size.
    """
    shape = (decision.horizon, decision.dim)
    mask = np.array(decision.command_mask, bool)
    if mask.size not in (decision.dim, shape[0] * shape[1]):
        raise JournalError(
            f"the decision on chunk {decision.chunk_id} has a command_mask of {mask.size} entries; it must have"
            f" {shape[0]} x {shape[1]}"
        )
    return mask.reshape(shape) if mask.size == shape[0] * shape[1] else np.broadcast_to(mask, shape)


def frame(step: ControlStep, *, instruction: str, success: bool, first: bool, last: bool) -> dict[str, Any]:
    """One row of the dataset: key -> value as its feature says.

    Raises:
        JournalError: the decision has no features, so that nothing can be learnt from the step.
    """
    decision, guidance = step.decision, step.decision.guidance
    size = decision.horizon * decision.dim
    noise = np.array(decision.noise_used, np.float32) if len(decision.noise_used) else np.full(size, np.nan)
    pooled = np.array(getattr(decision, "features", ()), np.float32)
    parts = feature_parts(decision)
    if noise.size != size or not pooled.size or sum(parts) != pooled.size:
        raise JournalError(
            f"the decision on chunk {decision.chunk_id} holds {noise.size} numbers of noise and {pooled.size} of"
            f" features; it must hold {decision.horizon} x {decision.dim}, and the policy's features in their parts,"
            f" {sum(parts)}"
        )
    target = step.joint_position + step.commanded / RATE
    direction = [guidance.direction.x, guidance.direction.y, guidance.direction.z]
    return {
        "is_first": first,
        "is_last": last,
        "is_terminal": last and success,
        "is_episode_successful": success,
        "language_instruction": instruction,
        "observation.state.gripper_position": [step.gripper],
        "observation.state.cartesian_position": [*step.tcp_position, *roll_pitch_yaw(step.tcp_quaternion)],
        "observation.state.joint_position": step.joint_position,
        "observation.state": [*step.joint_position, step.gripper],
        "action.gripper_position": [step.gripper_commanded],
        "action.joint_position": target,
        "action.joint_velocity": step.commanded / FULL_SCALE,
        "action": [*target, step.gripper_commanded],
        "discount": 1.0,
        "reward": float(last and success),
        "frs.joint_velocity": step.commanded,
        "frs.source": int(decision.source),
        "frs.method": decision.method,
        "frs.guidance": [*direction, guidance.amount, guidance.gripper, guidance.defer],
        "frs.row": step.row,
        "frs.noise": noise,
        "frs.commanded": commanded(decision).ravel(),
        "frs.features": pooled,
        "frs.feature_part": np.repeat(np.arange(len(parts)), parts),
        "frs.chunk": np.array(decision.refined, np.float32),
        "frs.horizon": int(decision.horizon),
        "frs.proprioception": [*decision.joint_position, decision.gripper],
        "frs.diagnostics": [getattr(decision.diagnostics, name) for name in DIAGNOSTICS],
        "frs.policy": decision.policy,
        "frs.weights_sha256": decision.weights_sha256,
    }


def roll_pitch_yaw(quaternion: np.ndarray) -> tuple[float, float, float]:
    """(4,) x, y, z, w -> rad about the fixed x, then y, then z axis (scipy's "xyz", which DROID uses)."""
    x, y, z, w = quaternion / np.linalg.norm(quaternion)
    roll = np.arctan2(2.0 * (w * x + y * z), 1.0 - 2.0 * (x * x + y * y))
    pitch = np.arcsin(np.clip(2.0 * (w * y - z * x), -1.0, 1.0))
    yaw = np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
    return float(roll), float(pitch), float(yaw)
