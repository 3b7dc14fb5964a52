"""Demonstrations reversed: the noise must make the demonstrated chunk again."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from frs_steering.flow import integrator
from frs_steering.learn.noise_data import TrainingError, gather
from frs_steering.learn.reversal import EVERY, demonstrated, row
from frs_steering.policies import load_policy
from frs_steering.policies.interface import Observation
from frs_steering.record.steps import ControlStep
from frs_steering.robot.fr3 import RESET_POSITION
from frs_steering.robot.kinematics import pose_and_jacobian
from frs_steering.robot.spaces import ActionSpace

STEPS = 40
INSTRUCTION = "put the egg on the plate"


@pytest.fixture(scope="module")
def steps() -> list[ControlStep]:
    """A hand that goes down and closes."""
    rng = np.random.default_rng(0)
    images = {name: rng.integers(0, 256, (64, 64, 3), np.uint8) for name in ("exterior", "wrist")}
    down = np.linalg.pinv(pose_and_jacobian(RESET_POSITION)[1]) @ [0.0, 0.0, -0.1, 0.0, 0.0, 0.0]
    return [
        ControlStep(
            tick=number, images=images, joint_position=RESET_POSITION + down * number / 15,
            gripper=float(number >= 20), tcp_position=np.zeros(3), tcp_quaternion=np.array([0.0, 0.0, 0.0, 1.0]),
            commanded=down, gripper_commanded=float(number >= 19), row=0, decision=None,
        )
        for number in range(STEPS)
    ]  # fmt: skip


def test_the_noise_makes_the_chunk_again(steps: list[ControlStep]) -> None:
    policy, exact = load_policy("embedded"), integrator("fixed_point", 10)
    made = demonstrated("one", "egg_on_plate", "succeeded", INSTRUCTION, steps, policy, exact)
    assert len(made.steps) == (STEPS - policy.spec.horizon) // EVERY + 1
    for number, step in enumerate(made.steps):
        first = number * EVERY
        moved = pose_and_jacobian(step.joint_position)[1] @ steps[first].commanded
        np.testing.assert_allclose(step.chunk[0, :6], moved, atol=1e-6)
        assert step.chunk[:, 6].tolist() == [float(n >= 19) for n in range(first, first + policy.spec.horizon)]
        before = tuple(float(max(0, first - lag) >= 20) for lag in (12, 24))
        seen = Observation(steps[first].images, step.joint_position, step.gripper, before, INSTRUCTION)
        prefix = policy.encode(policy.prepare(seen))
        np.testing.assert_array_equal(step.features, prefix.features.numpy())
        assert step.noise is not None
        again = exact.denoise(policy.field(prefix), torch.from_numpy(step.noise)[None], 10)
        off = (again - policy.normalise(torch.from_numpy(step.chunk))).square().mean().sqrt()
        assert float(off) == pytest.approx(step.diagnostics["round_trip_rms"], abs=1e-5)
    data = gather([made], kind="dsbc")
    assert len(data) == len(made.steps) and data.quality.sources == {"human": len(made.steps)}


def test_the_exact_inversion_is_nearer_than_eulers(steps: list[ControlStep]) -> None:
    policy = load_policy("embedded")
    off = {}
    for name in ("euler", "fixed_point"):
        made = demonstrated("one", "t", "succeeded", INSTRUCTION, steps, policy, integrator(name, 10))
        off[name] = np.mean([step.diagnostics["round_trip_rms"] for step in made.steps])
    assert off["fixed_point"] < off["euler"]


def test_joint_velocities_are_taken_as_they_are_and_other_spaces_refused(steps: list[ControlStep]) -> None:
    spec = load_policy("embedded").spec
    joints = dataclasses.replace(spec, action_space=ActionSpace.JOINT_VELOCITY, dim=8)
    np.testing.assert_allclose(row(steps[0], joints), np.append(steps[0].commanded, 0.0), rtol=1e-6)
    with pytest.raises(TrainingError, match="chunks of JOINT_POSITION; demonstrations give joint or Cartesian"):
        row(steps[0], dataclasses.replace(spec, action_space=ActionSpace.JOINT_POSITION))


def test_an_episode_shorter_than_a_chunk_gives_none(steps: list[ControlStep]) -> None:
    policy = load_policy("embedded")
    assert demonstrated("s", "t", "succeeded", INSTRUCTION, steps[:9], policy, integrator("euler")).steps == ()
