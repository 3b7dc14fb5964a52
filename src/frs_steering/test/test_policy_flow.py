"""The mathematics on the field of the policy that comes with the package: what an adapter of another must pass too."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from frs_steering.flow import VelocityField, denoise, invert, midpoint, reverse, time_reversed
from frs_steering.policies import Observation
from frs_steering.policies.embedded import load
from frs_steering.robot.fr3 import RESET_POSITION


@pytest.fixture(scope="module")
def fields() -> list[VelocityField]:
    """Under a few observations: blank pictures in three greys, with a sentence that was taught and one that was not."""
    policy = load()
    fields = []
    for grey, instruction in ((60, policy.network.config.vocabulary[0]), (120, "do something"), (180, "do something")):
        images = {camera: np.full((224, 224, 3), grey, np.uint8) for camera in policy.spec.cameras}
        observation = Observation(images, RESET_POSITION.copy(), 0.0, (0.0, 0.0), instruction)
        fields.append(policy.field(policy.encode(policy.prepare(observation))))
    return fields


@pytest.fixture(scope="module")
def data(fields: list[VelocityField]) -> list[Tensor]:
    """Chunks that the policy's flow leads to: (16, H, D) for each field."""
    draws = torch.randn((16, 16, 7), generator=torch.Generator().manual_seed(0))
    return [midpoint.denoise(field, draws, 100) for field in fields]


def rms(a: Tensor, b: Tensor) -> float:
    return float((a - b).square().mean().sqrt())


def test_the_round_trip_converges_and_under_a_flipped_time_it_does_not(
    fields: list[VelocityField], data: list[Tensor]
) -> None:
    """Ten steps tell nothing: one direction flipped has as good a round trip there. Convergence does. (With both
    flipped any smooth field converges; that is told by data, in frs_sim/test/test_round_trip.)

    Euler's method needs more than 50 steps under such pictures; on data it is tested there, too.

    The control reverses with time the wrong way round, as an adapter would that turned only one direction.
    """
    for field, chunk in zip(fields, data, strict=True):

        def wrong(x: Tensor, t: Tensor, field: VelocityField = field) -> Tensor:
            return field(x, 1.0 - t)

        assert rms(midpoint.denoise(field, midpoint.reverse(field, chunk, 20), 20), chunk) <= 0.02
        assert rms(midpoint.denoise(field, midpoint.reverse(wrong, chunk, 20), 20), chunk) > 0.02


def test_an_adapter_with_reversed_time_equals_the_native_one(fields: list[VelocityField], data: list[Tensor]) -> None:
    for field, chunk in zip(fields, data, strict=True):

        def other(x: Tensor, t: Tensor, field: VelocityField = field) -> Tensor:
            return -field(x, 1.0 - t)

        torch.testing.assert_close(reverse(time_reversed(other), chunk, 10), reverse(field, chunk, 10))


def test_the_fixed_point_inverts_the_sampler_better_than_euler(fields: list[VelocityField]) -> None:
    """Not to 1e-4 here: where the policy is sure of its chunk, the last step does not contract, and that is said."""
    draws = torch.randn((16, 16, 7), generator=torch.Generator().manual_seed(1))
    for field in fields:
        chunk = denoise(field, draws, 10)
        found = invert(field, chunk, 10, iterations=5)
        assert rms(denoise(field, found.noise, 10), chunk) < 0.5 * rms(
            denoise(field, reverse(field, chunk, 10), 10), chunk
        )
        assert torch.isfinite(found.residual).all() and (found.residual > 0).all()


def test_bfloat16_steers_to_nearly_the_same_chunk(fields: list[VelocityField], data: list[Tensor]) -> None:
    for field, chunk in zip(fields, data, strict=True):

        def coarse(x: Tensor, t: Tensor, field: VelocityField = field) -> Tensor:
            with torch.autocast("cpu", torch.bfloat16):
                return field(x, t)

        exact = denoise(field, reverse(field, chunk, 10), 10)
        assert rms(denoise(coarse, reverse(coarse, chunk, 10), 10), exact) < 0.05


def test_a_batch_is_its_samples(fields: list[VelocityField], data: list[Tensor]) -> None:
    for field, chunk in zip(fields, data, strict=True):
        together = reverse(field, chunk, 10)
        for i in (0, 7):
            torch.testing.assert_close(together[i : i + 1], reverse(field, chunk[i : i + 1], 10), atol=1e-3, rtol=1e-3)
