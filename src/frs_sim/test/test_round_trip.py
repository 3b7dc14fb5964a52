"""The embedded policy's field on data: chunks that an expert drove, and what was seen then."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from frs_sim.cell import Cell, Eyes
from frs_sim.expert import act, plan
from frs_sim.tasks import FIRST_HELD_OUT_SEED
from frs_steering.flow import VelocityField, denoise, midpoint, reverse
from frs_steering.policies import Observation, Policy
from frs_steering.robot.kinematics import joint_velocity
from frs_steering.steer.likeness import denoising_error

APART = 24  # control steps from one chunk to the next

Pair = tuple[VelocityField, Tensor]


@pytest.fixture(scope="module", params=["egg_on_plate", "hoop_on_stand"])
def pairs(workshop: tuple[Cell, Eyes, Policy], request: pytest.FixtureRequest) -> list[Pair]:
    """Fields and the chunks (1, H, D), normalised, that followed, along one undisturbed demonstration."""
    cell, eyes, policy = workshop
    cell.reset(request.param, FIRST_HELD_OUT_SEED + 5)
    fields, actions = [], []
    while not cell.success:
        if cell.steps % APART == 0:
            images = {camera: eyes.look(cell.data, camera) for camera in policy.spec.cameras}
            seen = (images, cell.joint_position.copy(), cell.gripper, cell.gripper_before, cell.task.instruction)
            fields.append(policy.field(policy.encode(policy.prepare(Observation(*seen)))))
        truth = cell.truth()
        actions.append(act(plan(cell.task, truth), truth))
        cell.step(joint_velocity(cell.joint_position, actions[-1][:6]), actions[-1][6])
    horizon = policy.spec.horizon
    windows = [actions[i : i + horizon] for i in range(0, len(actions) - horizon + 1, APART)]
    chunks = [policy.normalise(torch.tensor(np.array(window, np.float32)[None])) for window in windows]
    return list(zip(fields, chunks, strict=False))  # the last few steps make no whole chunk


def rms(a: Tensor, b: Tensor) -> float:
    return float((a - b).square().mean().sqrt())


def test_the_round_trip_of_a_demonstrated_chunk(pairs: list[Pair]) -> None:
    """The goals: midpoint with 20 steps at most 0.02 RMS, Euler with 50 at most 0.05, of numbers of about 1.

    The control reverses with time the wrong way round, as an adapter would that turned only one direction. One that is
    wrong both ways passes: any smooth field comes back. The next test tells it.
    """
    assert len(pairs) >= 3
    for field, chunk in pairs:

        def wrong(x: Tensor, t: Tensor, field: VelocityField = field) -> Tensor:
            return field(x, 1.0 - t)

        assert rms(midpoint.denoise(field, midpoint.reverse(field, chunk, 20), 20), chunk) <= 0.02
        assert rms(denoise(field, reverse(field, chunk, 50), 50), chunk) <= 0.05
        assert rms(midpoint.denoise(field, midpoint.reverse(wrong, chunk, 20), 20), chunk) > 0.02
        assert rms(denoise(field, reverse(wrong, chunk, 50), 50), chunk) > 0.05


def test_only_the_right_way_of_time_explains_the_data(pairs: list[Pair]) -> None:
    """The loss that the field was trained with is small on demonstrated chunks, and large with time turned round."""
    for field, chunk in pairs:

        def flipped(x: Tensor, t: Tensor, field: VelocityField = field) -> Tensor:
            return field(x, 1.0 - t)

        assert float(denoising_error(flipped, chunk)) > 2.0 * float(denoising_error(field, chunk))
