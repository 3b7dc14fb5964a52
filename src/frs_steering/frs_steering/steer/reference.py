"""From a coarse wish to a rough chunk: the reference that the flow is reversed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from frs_steering.policies.interface import PolicySpec
from frs_steering.robot.fr3 import BASE_FRAME, TCP_FRAME
from frs_steering.robot.kinematics import straight_motion, tcp_pose
from frs_steering.robot.spaces import ActionSpace
from frs_steering.steer.guidance import GripperWish, Guidance, GuidanceError

FULL_SPEED = 0.25
"""m/s of the TCP: a full command to a policy that acts in joints. A Cartesian policy's `full_scale` says it itself."""

GRIPPER_OPEN_TO = 0.05
"""A gripper that is measured closed by more than this (0 .. 1; 2 mm a finger) holds something or is about to."""


@dataclass(frozen=True)
class Reference:
    """A rough chunk and what of it is commanded.

    Attributes:
        chunk: (H, D) float32, SI units.
        mask: (D,) bool, the commanded dimensions; the others are delegated to the policy.
    """

    chunk: np.ndarray
    mask: np.ndarray


def reference_for(guidance: Guidance | None, spec: PolicySpec, joint_position: np.ndarray) -> Reference | None:
    """The rough chunk of a wish; None where there is none or it lets the policy act.

    Raises:
        GuidanceError: as `check`.
    """
    return None if guidance is None or guidance.commands_nothing else reference_chunk(guidance, spec, joint_position)


def reference_chunk(guidance: Guidance, spec: PolicySpec, joint_position: np.ndarray) -> Reference:
    """Write the wish into every row of a chunk that is otherwise at rest.

    As in the paper: the unit direction times the amount, constant over the rows, written into the translation;
    rotation and gripper are raw zero, and the gripper is not commanded unless the wish says so. Where the policy acts
    in joints, the rows are the joint motion (damped least squares) that moves the TCP so, and all joints are commanded.

    Args:
        guidance: the wish.
        spec: of the policy.
        joint_position: (7,) [rad], measured: where joint motion begins, and how a direction of the hand is turned.

    Raises:
        GuidanceError: as `check`.
    """
    check(guidance, spec)
    joints = np.asarray(joint_position, np.float64)
    chunk, mask = rest_chunk(spec, joints, gripper=0.0), np.zeros(spec.dim, bool)
    if guidance.direction != (0.0, 0.0, 0.0) and guidance.amount > 0.0:
        turned = _rotation(guidance.frame, _frame(spec), joints) @ np.asarray(guidance.direction) * guidance.amount
        if spec.action_space is ActionSpace.CARTESIAN_VELOCITY:
            chunk[:, :3] = turned * np.asarray(spec.full_scale[:3])
            mask[:3] = True
        else:
            chunk[:, :7] = _joint_rows(turned * FULL_SPEED, spec, joints)
            mask[:7] = True
    elif guidance.direction != (0.0, 0.0, 0.0):  # "that way, not at all": stay where you are
        mask[: 3 if spec.action_space is ActionSpace.CARTESIAN_VELOCITY else 7] = True
    if guidance.gripper is not GripperWish.KEEP:
        chunk[:, -1] = 1.0 if guidance.gripper is GripperWish.CLOSE else 0.0
        mask[-1] = True
    return Reference(chunk, mask)


def rest_chunk(spec: PolicySpec, joint_position: np.ndarray, gripper: float) -> np.ndarray:
    """The chunk (H, D), float32, SI, that keeps the arm where it is and the gripper doing what it does.

    A gripper that is not open is told to close: one that holds something is measured half closed, and told to stay
    there it would let go.

    Args:
        spec: of the policy.
        joint_position: (7,) [rad], measured.
        gripper: measured, 0 open .. 1 closed.
    """
    chunk = np.zeros((spec.horizon, spec.dim), np.float32)
    if spec.action_space is ActionSpace.JOINT_POSITION:
        chunk[:, :7] = joint_position
    chunk[:, -1] = float(gripper > GRIPPER_OPEN_TO)
    return chunk


def check(guidance: Guidance, spec: PolicySpec) -> None:
    """See whether the wish can be turned into the policy's chunks.

    Raises:
        GuidanceError: the wish's frame is neither the policy's nor one that the arm's kinematics turns into it.
    """
    known = (BASE_FRAME, TCP_FRAME) if _frame(spec) in (BASE_FRAME, TCP_FRAME) else (_frame(spec),)
    if not guidance.commands_nothing and guidance.frame not in known:
        raise GuidanceError(f"guidance frame is {guidance.frame!r}; it must be {' or '.join(map(repr, known))}")


def _frame(spec: PolicySpec) -> str:
    # Joint columns have no frame; the kinematics resolves directions in the base frame.
    return spec.frame_id if spec.action_space is ActionSpace.CARTESIAN_VELOCITY else BASE_FRAME


def _rotation(source: str, target: str, joint_position: np.ndarray) -> np.ndarray:
    if source == target:
        return np.eye(3)
    tcp_in_base = tcp_pose(joint_position)[:3, :3]
    return tcp_in_base if source == TCP_FRAME else tcp_in_base.T


def _joint_rows(velocity: np.ndarray, spec: PolicySpec, joint_position: np.ndarray) -> np.ndarray:
    limited = spec.action_space is ActionSpace.JOINT_VELOCITY
    most = np.asarray(spec.full_scale[:7], np.float64) if limited else np.full(7, np.inf)
    rows = straight_motion(joint_position, velocity, spec.horizon, spec.row_duration, most)
    if limited:
        return rows
    return joint_position + rows.cumsum(0) * spec.row_duration
