"""Demonstrations as rollouts: the noise with which the frozen policy would have done what was demonstrated.

So a noise policy learns from demonstrations that the policy had no part in (offline DSBC): each demonstrated chunk is
integrated backwards under its own observation. A precise demonstration needs a precise inversion: by default that of
the fixed point, which inverts the sampler itself; Euler's is off by its own error (docs/concepts.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from frs_steering.flow import Integrator
from frs_steering.learn.noise_data import TrainingError
from frs_steering.learn.rollouts import DIAGNOSTICS, Rollout, Step
from frs_steering.policies.interface import GRIPPER_LAGS, Observation, Policy, PolicySpec
from frs_steering.record.steps import ControlStep
from frs_steering.robot.kinematics import pose_and_jacobian
from frs_steering.robot.spaces import ActionSpace

EVERY = 4
"""Control steps between two demonstrated chunks: those in between are much alike."""


@torch.inference_mode()
def demonstrated(
    name: str,
    task: str,
    label: str,
    instruction: str,
    steps: Sequence[ControlStep],
    policy: Policy,
    integrator: Integrator,
    k: int = 10,
) -> Rollout:
    """An episode whose every fourth control step begins a chunk, reversed.

    Args:
        name: of the episode.
        task: name of its task.
        label: how it ended.
        instruction: that the policy is told.
        steps: of the episode, in order.
        policy: whose noises are wanted.
        integrator: of the reversal, and of the round trip that the diagnostics tell.
        k: steps of the integrator.

    Raises:
        TrainingError: the policy's action space can't be filled from what was recorded.
    """
    spec = policy.spec
    rows = np.stack([row(step, spec) for step in steps]) if steps else np.empty((0, spec.dim), np.float32)
    found = []
    for first in range(0, len(steps) - spec.horizon + 1, EVERY):
        chunk = torch.from_numpy(rows[first : first + spec.horizon])
        prefix = policy.encode(policy.prepare(_observation(steps, first, instruction, spec)))
        field, wanted = policy.field(prefix), policy.normalise(chunk)[None]
        noise = integrator.reverse(field, wanted, k)
        off = float((integrator.denoise(field, noise, k) - wanted).square().mean().sqrt())
        found.append(
            Step(
                source="human",
                method=f"noise:steps={k}",
                features=prefix.features.float().numpy(),
                joint_position=steps[first].joint_position,
                gripper=steps[first].gripper,
                noise=noise[0].float().numpy(),
                chunk=chunk.numpy(),
                diagnostics=dict.fromkeys(DIAGNOSTICS, math.nan) | {"round_trip_rms": off},
                drove=True,
                policy=spec.name,
                weights_sha256=spec.weights_sha256,
            )
        )
    return Rollout(name, task, label, tuple(found), {})


def row(step: ControlStep, spec: PolicySpec) -> np.ndarray:
    """What was commanded on a control step, as a row (D,) float32 of the policy's chunks, in SI units.

    Raises:
        TrainingError: the policy's action space is another than joint or Cartesian velocity.
    """
    if spec.action_space is ActionSpace.JOINT_VELOCITY:
        motion = step.commanded
    elif spec.action_space is ActionSpace.CARTESIAN_VELOCITY:
        motion = pose_and_jacobian(step.joint_position)[1] @ step.commanded
    else:
        raise TrainingError(
            f"policy {spec.name!r} has chunks of {spec.action_space.name};"
            " demonstrations give joint or Cartesian velocity"
        )
    return np.append(motion, step.gripper_commanded).astype(np.float32)


def _observation(steps: Sequence[ControlStep], at: int, instruction: str, spec: PolicySpec) -> Observation:
    step = steps[at]
    before = [steps[max(0, at - round(lag / spec.row_duration))].gripper for lag in GRIPPER_LAGS]
    images = {camera: step.images[camera] for camera in spec.cameras}
    return Observation(images, step.joint_position, step.gripper, (before[0], before[1]), instruction)
