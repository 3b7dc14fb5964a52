"""One decision from a wish to a chunk, on a small network with random weights."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from frs_steering.flow import VelocityField
from frs_steering.policies import Observation
from frs_steering.policies.embedded import EmbeddedPolicy, Network, NetworkConfig
from frs_steering.policies.embedded.policy import EmbeddedPrefix
from frs_steering.robot.fr3 import RESET_POSITION
from frs_steering.steer.decision import decide
from frs_steering.steer.deferral import Trust
from frs_steering.steer.guidance import Guidance, GuidanceSource
from frs_steering.steer.method import parse_method

UP = Guidance(GuidanceSource.SCRIPTED, direction=(0.0, 0.0, 1.0))
REFERENCED = ("frs", "frs:integrator=midpoint", "direct", "translation", "partial", "rank")


@pytest.fixture(scope="module")
def policy() -> EmbeddedPolicy:
    torch.manual_seed(0)
    network = Network(NetworkConfig(keypoints=4, features=16, hidden=32, blocks=1))
    for weight in network.denoiser.leave.parameters():
        torch.nn.init.normal_(weight, std=0.05)
    return EmbeddedPolicy(network, "0" * 64)


@pytest.fixture(scope="module")
def observation() -> Observation:
    images = {camera: np.full((64, 64, 3), 90, np.uint8) for camera in ("exterior", "wrist")}
    return Observation(images, RESET_POSITION.copy(), 0.4, (0.0, 0.0), "lift it")


@pytest.mark.parametrize("text", REFERENCED)
def test_a_wish_is_followed(policy: EmbeddedPolicy, observation: Observation, text: str) -> None:
    made = decide(policy, observation, UP, Trust(), method=parse_method(text), seed=1)
    assert str(made.method) == text and made.defer_reason == ""
    assert made.reference is not None and made.answer.chunk is not None
    assert made.evaluations == made.answer.diagnostics.evaluations
    assert -1.0 <= made.answer.diagnostics.agreement <= 1.0 + 1e-6
    if text == "direct":
        assert (made.answer.chunk[:, -1] == 1.0).all()  # it holds something, and goes on holding it


@pytest.mark.parametrize("text", [*REFERENCED, "base", "noise"])
@pytest.mark.parametrize("guidance", [None, Guidance(GuidanceSource.SCRIPTED, defer=True)])
def test_where_nothing_is_wished_the_policy_acts(
    policy: EmbeddedPolicy, observation: Observation, text: str, guidance: Guidance | None
) -> None:
    made = decide(policy, observation, guidance, Trust(), method=parse_method(text), seed=1)
    base = decide(policy, observation, UP, Trust(), method=parse_method("base"), seed=1)
    assert str(made.method) == str(base.method) == "base"
    assert made.reference is base.reference is None
    np.testing.assert_array_equal(made.answer.chunk, base.answer.chunk)
    assert made.evaluations == 10


def test_a_noise_from_outside_is_used(policy: EmbeddedPolicy, observation: Observation) -> None:
    noise = np.random.default_rng(0).standard_normal((16, 7)).astype(np.float32)
    made = decide(policy, observation, None, Trust(), method=parse_method("noise"), seed=1, noise=noise)
    assert str(made.method) == "noise"
    np.testing.assert_array_equal(made.answer.noise_used, noise)


@pytest.mark.parametrize(
    ("text", "trust", "words", "evaluations"),
    [
        ("frs:steps=4", Trust(max_noise_percentile=0.0), "noise percentile", 12),
        ("frs", Trust(max_round_trip=0.0), "round trip", 30),
        ("rank", Trust(min_agreement=1.0), "agreement", 90),
        ("frs:integrator=fixed_point,iterations=1", Trust(max_residual=0.0), "fixed-point residual", 31),
        ("noise", Trust(max_noise_percentile=0.0), "noise percentile", 20),
    ],
)
def test_beyond_the_trust_the_policy_acts_and_says_why(
    policy: EmbeddedPolicy, observation: Observation, text: str, trust: Trust, words: str, evaluations: int
) -> None:
    noise = np.ones((16, 7), np.float32)
    made = decide(policy, observation, UP, trust, method=parse_method(text), seed=1, noise=noise)
    assert made.reference is None and made.method.source == "base"
    assert words in made.defer_reason
    assert made.evaluations == evaluations


def test_what_the_policy_does_alone_is_not_judged(policy: EmbeddedPolicy, observation: Observation) -> None:
    made = decide(policy, observation, None, Trust(max_noise_percentile=0.0), method=parse_method("frs"), seed=1)
    assert made.defer_reason == "" and made.evaluations == 10


class Overflowing(EmbeddedPolicy):
    """A policy whose field gives up on a chunk that is the same in every row, as references are."""

    def field(self, prefix: EmbeddedPrefix) -> VelocityField:
        field = super().field(prefix)
        return lambda x, t: torch.where((x == x[:, :1]).all(), math.nan, field(x, t))


@pytest.mark.parametrize("text", ["frs", "frs:integrator=midpoint", "frs:integrator=fixed_point"])
def test_a_chunk_that_is_not_finite_is_dropped(policy: EmbeddedPolicy, observation: Observation, text: str) -> None:
    overflowing = Overflowing(policy.network, "0" * 64)
    made = decide(overflowing, observation, UP, Trust(), method=parse_method(text), seed=1)
    base = decide(policy, observation, UP, Trust(), method=parse_method("base"), seed=1)
    assert "values that are not finite" in made.defer_reason
    np.testing.assert_array_equal(made.answer.chunk, base.answer.chunk)


class Half(EmbeddedPolicy):
    """A policy that wants nothing but bfloat16."""

    def field(self, prefix: EmbeddedPrefix) -> VelocityField:
        field = super().field(prefix)

        def velocity(x: Tensor, t: Tensor) -> Tensor:
            assert (x.dtype, t.dtype) == (torch.bfloat16, torch.float32)
            return field(x.float(), t).bfloat16()

        return velocity

    def normalise(self, chunk: Tensor) -> Tensor:
        return super().normalise(chunk).bfloat16()


@pytest.mark.parametrize("text", [*REFERENCED, "base", "frs:noise=tiled,sigma=1", "frs:integrator=fixed_point"])
def test_a_policy_gets_its_own_type_of_number(policy: EmbeddedPolicy, observation: Observation, text: str) -> None:
    made = decide(Half(policy.network, "0" * 64), observation, UP, Trust(), method=parse_method(text), seed=1)
    assert made.defer_reason == ""
    assert made.answer.chunk is not None and np.isfinite(made.answer.chunk).all()
