"""Which noise policies may go live."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import noise_policy_sample
import numpy as np
import pytest

from frs_steering.learn.noise_check import LIVE, check_live
from frs_steering.learn.noise_data import Sampler
from frs_steering.learn.noise_policy import NoisePolicy, NoisePolicyError, load
from frs_steering.policies import load_policy
from frs_steering.policies.interface import PolicySpec
from frs_steering.steer.deferral import Trust
from frs_steering.steer.making import Making, Proposal
from frs_steering.steer.method import Method


@pytest.fixture(scope="module")
def spec(weights: Path) -> PolicySpec:
    return load_policy("embedded", weights).spec


@pytest.fixture
def noise_policy(weights: Path, tmp_path: Path) -> NoisePolicy:
    return load(noise_policy_sample.write(tmp_path / "egg.safetensors", weights))


def test_one_that_fits_may(noise_policy: NoisePolicy, spec: PolicySpec):
    check_live(noise_policy, spec)


def test_one_of_another_policy_may_not(noise_policy: NoisePolicy, spec: PolicySpec):
    with pytest.raises(NoisePolicyError, match="whose noises mean something else"):
        check_live(noise_policy, dataclasses.replace(spec, weights_sha256="00ff"))


def test_one_whose_noises_are_another_samplers_may_not(noise_policy: NoisePolicy, spec: PolicySpec):
    other = dataclasses.replace(noise_policy.trained_on, sampler=Sampler("midpoint", 5))
    with pytest.raises(NoisePolicyError, match="chunks by midpoint:steps=5; while the robot runs it is euler:steps=10"):
        check_live(dataclasses.replace(noise_policy, trained_on=other), spec)


def test_what_is_live_is_what_a_proposal_is_denoised_by():
    made = Making(None, noise_policy=True, method=Method("frs", steps=5), trust=Trust(), seed=0)
    made.proposed(Proposal(np.ones((1, 7), np.float32), "tiled", "egg@0123"))
    assert made.query.method == LIVE.method("tiled")


def test_one_that_says_chunks_may_not(weights: Path, tmp_path: Path, spec: PolicySpec):
    chunks = load(noise_policy_sample.write(tmp_path / "egg.safetensors", weights, "bc"))
    with pytest.raises(NoisePolicyError, match="of kind 'bc', which says chunks; to go live it must be 'dsbc'"):
        check_live(chunks, spec)


@pytest.mark.parametrize(("buffer", "value"), [("output_spread", 100.0), ("output_mean", 9.0), ("output_mean", 1e38)])
def test_one_that_says_noise_beyond_its_bound_may_not(
    noise_policy: NoisePolicy, spec: PolicySpec, buffer: str, value: float
):
    getattr(noise_policy.network, buffer).fill_(value)
    with pytest.raises(NoisePolicyError, match="its own bound is 5"):
        check_live(noise_policy, spec)
