"""Whether a chunk is one that the policy would make."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from coarse_policy import CoarsePolicy
from flow_fields import D, H, mixture_field, noise
from torch import Tensor

from frs_steering.flow import VelocityField, denoise
from frs_steering.policies import Observation
from frs_steering.policies.embedded import load
from frs_steering.policies.embedded.policy import EmbeddedPrefix
from frs_steering.robot.fr3 import RESET_POSITION
from frs_steering.steer.likeness import DRAWS, TIMES, denoising_error, likeness


def test_chunks_of_the_field_score_better_than_others() -> None:
    own = denoise(mixture_field, noise(0, 100), 20)
    threshold = float(denoising_error(mixture_field, own).quantile(0.95))
    far = torch.stack([torch.full((H, D), 3.0), torch.full((H, D), -2.5), 2.5 * noise(1, 1)[0]])
    assert (denoising_error(mixture_field, far) > threshold).all()
    fresh = denoising_error(mixture_field, denoise(mixture_field, noise(2, 200), 20))
    assert 0.88 <= float((fresh <= threshold).float().mean()) <= 1.0


def test_what_the_measure_cannot_see() -> None:
    """As documented: between two modes that lie close, the policy's guess is near, and the score is good."""
    own = denoise(mixture_field, noise(0, 100), 20)
    between = denoising_error(mixture_field, torch.zeros(1, H, D))
    assert between < denoising_error(mixture_field, torch.full((1, H, D), 3.0))
    assert torch.isfinite(denoising_error(mixture_field, own)).all()


def test_the_score_of_a_chunk_does_not_depend_on_its_company() -> None:
    chunks = noise(3, 6)
    together = denoising_error(mixture_field, chunks, seed=5)
    alone = torch.cat([denoising_error(mixture_field, chunk[None], seed=5) for chunk in chunks])
    torch.testing.assert_close(together, alone)
    assert not torch.equal(together, denoising_error(mixture_field, chunks, seed=6))


@pytest.fixture(scope="module")
def observation() -> Observation:
    images = {camera: np.full((224, 224, 3), 120, np.uint8) for camera in ("exterior", "wrist")}
    return Observation(images, RESET_POSITION.copy(), 0.0, (0.0, 0.0), "do something")


def test_the_policys_own_chunks_are_like_it_and_wild_ones_are_not(observation: Observation) -> None:
    policy = load()
    field = policy.field(policy.encode(policy.prepare(observation)))
    draws = torch.randn((40, 16, 7), generator=torch.Generator().manual_seed(1))
    own = policy.denormalise(denoise(field, draws, 10)).numpy()
    found = likeness(policy, observation, own, seed=2)
    assert found.shape == (40,) and (found >= 0).all() and (found <= 1).all()
    assert np.mean(found <= 0.95) >= 0.85
    wild = np.random.default_rng(0).normal(0.0, 0.5, (5, 16, 7)).astype(np.float32)
    assert (likeness(policy, observation, wild, seed=2) == 1.0).all()


def test_no_own_chunk_is_scored_with_the_noise_that_made_it(
    observation: Observation, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy, asked = load(), []
    field_of = policy.field

    def watched(prefix: EmbeddedPrefix) -> VelocityField:
        field = field_of(prefix)

        def watch(x: Tensor, t: Tensor) -> Tensor:
            asked.append((float(t[0]), x))
            return field(x, t)

        return watch

    monkeypatch.setattr(policy, "field", watched)
    likeness(policy, observation, np.zeros((1, 16, 7), np.float32), samples=16)
    first = next(x for t, x in asked if t == 0.0)
    at_rest = policy.normalise(torch.zeros(16, 7))
    mixed = next(x for t, x in asked if abs(t - TIMES[0]) < 1e-6 and len(x) == 17 * DRAWS)[-DRAWS:]
    drawn = (mixed - TIMES[0] * at_rest) / (1.0 - TIMES[0])
    assert abs(float(drawn.std()) - 1.0) < 0.1
    assert (drawn[:, None] - first[None]).abs().amax((2, 3)).min() > 0.1


def test_a_policy_of_another_type_is_asked_in_its_own(observation: Observation) -> None:
    policy = load()
    chunks = policy.denormalise(torch.zeros(3, 16, 7) + torch.tensor([0.0, 0.5, 3.0])[:, None, None]).numpy()
    fine, coarse = (likeness(one, observation, chunks, samples=32) for one in (policy, CoarsePolicy(policy)))
    assert coarse.shape == (3,)
    np.testing.assert_allclose(coarse, fine, atol=0.15)
