"""From a coarse wish to a rough chunk: the reference that the flow is reversed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from frs_steering.policies.interface import PolicySpec
from frs_steering.robot.spaces import ActionSpace
from frs_steering.steer.guidance import GripperWish, Guidance, GuidanceError


@dataclass(frozen=True)
class Reference:
    """A rough chunk and what of it is commanded.

    Attributes:
        chunk: (H, D) float32, SI units.
        mask: (D,) bool, the commanded dimensions; the others are delegated to the policy.
    """

    chunk: np.ndarray
    mask: np.ndarray


def reference_chunk(guidance: Guidance, spec: PolicySpec) -> Reference:
    """Write the wish into every row of a chunk that is otherwise at rest.

    As in the paper: the unit direction times the amount, constant over the rows, written into the
    translation; rotation is raw zero; the gripper is not commanded unless the wish says so.

    Raises:
        GuidanceError: the wish's frame is not the policy's, or the policy's space is not Cartesian.
    """
    if spec.action_space is not ActionSpace.CARTESIAN_VELOCITY:
        raise GuidanceError(
            f"policy {spec.name!r} acts in {spec.action_space.name}; directions need CARTESIAN_VELOCITY chunks"
        )
    if guidance.frame != spec.frame_id:
        raise GuidanceError(f"guidance frame is {guidance.frame!r}; it must be {spec.frame_id!r}, the policy's frame")
    chunk = np.zeros((spec.horizon, spec.dim), np.float32)
    mask = np.zeros(spec.dim, bool)
    if guidance.direction != (0.0, 0.0, 0.0):
        chunk[:, :3] = np.asarray(guidance.direction) * guidance.amount * np.asarray(spec.full_scale[:3])
        mask[:3] = True
    if guidance.gripper is not GripperWish.KEEP:
        chunk[:, -1] = 1.0 if guidance.gripper is GripperWish.CLOSE else 0.0
        mask[-1] = True
    return Reference(chunk, mask)


def reference_for(guidance: Guidance | None, spec: PolicySpec) -> Reference | None:
    """The rough chunk of a wish; None where there is none or it lets the policy act.

    Raises:
        GuidanceError: as `reference_chunk`.
    """
    return None if guidance is None or guidance.commands_nothing else reference_chunk(guidance, spec)
