"""Demonstrations reversed: the noise must make the demonstrated chunk again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from demonstrated_steps import INSTRUCTION, control_steps

from frs_steering.flow import integrator
from frs_steering.learn.demonstrated import Demonstration, from_steps
from frs_steering.learn.noise_data import Sampler, gather
from frs_steering.learn.reversal import BATCH, Reversal, encoded_rollout, reversed_rollout
from frs_steering.policies import load_policy
from frs_steering.policies.embedded.policy import EmbeddedPrefix
from frs_steering.policies.interface import Policy

CHUNKS = BATCH + 6
"""So that there is more than one batch, and one that is not full."""


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy("embedded")


@pytest.fixture(scope="module")
def demonstration(policy: Policy) -> Demonstration:
    steps = control_steps(CHUNKS - 1 + policy.spec.horizon)
    return Demonstration("one", "egg_on_plate", "succeeded", from_steps(steps, INSTRUCTION, policy.spec))


def test_the_noises_make_the_chunks_again(policy: Policy, demonstration: Demonstration) -> None:
    made, exact = reversed_rollout(demonstration, policy, Reversal()), integrator("fixed_point")
    assert len(made.steps) == len(demonstration.chunks) == CHUNKS
    assert (made.name, made.task, made.label) == ("one", "egg_on_plate", "succeeded")
    for step, one in list(zip(made.steps, demonstration.chunks, strict=True))[::9]:
        prefix = policy.encode(policy.prepare(one.observation))
        np.testing.assert_array_equal(step.features, prefix.features.numpy())
        np.testing.assert_array_equal(step.chunk, one.chunk)
        np.testing.assert_array_equal(step.joint_position, one.observation.joint_position)
        assert step.noise is not None
        again = exact.denoise(policy.field(prefix), torch.from_numpy(step.noise)[None], 10)
        off = (again - policy.normalise(torch.from_numpy(step.chunk))).square().mean().sqrt()
        assert float(off) == pytest.approx(step.diagnostics["round_trip_rms"], abs=1e-5)
    data = gather([made], kind="dsbc")
    assert len(data) == CHUNKS and data.quality.sources == {"demonstration": CHUNKS} and data.expert.all()


@pytest.mark.parametrize("name", ["euler", "fixed_point", "midpoint"])
def test_a_batch_gives_what_each_chunk_alone_would(policy: Policy, demonstration: Demonstration, name: str) -> None:
    made, alone = reversed_rollout(demonstration, policy, Reversal(name, 5)), integrator(name)
    for step, one in list(zip(made.steps, demonstration.chunks, strict=True))[::23]:
        field = policy.field(policy.encode(policy.prepare(one.observation)))
        noise = alone.reverse(field, policy.normalise(torch.from_numpy(one.chunk))[None], 5)[0]
        np.testing.assert_allclose(step.noise, noise, atol=1e-4)
        assert step.method == ("noise:steps=5,integrator=midpoint" if name == "midpoint" else "noise:steps=5")
    assert gather([made], kind="dsbc").sampler == Sampler("midpoint" if name == "midpoint" else "euler", 5)


class StackingPolicy:
    """The embedded policy, its field asked once for a whole batch."""

    def __init__(self, policy: Policy) -> None:
        self.spec, self.prepare, self.encode, self.normalise = (
            policy.spec, policy.prepare, policy.encode, policy.normalise
        )  # fmt: skip
        self.field = policy.field
        self.batches: list[int] = []

    def stack(self, prefixes: Sequence[EmbeddedPrefix]) -> EmbeddedPrefix:
        self.batches.append(len(prefixes))
        conditions, places = zip(*((prefix.condition, prefix.places) for prefix in prefixes), strict=True)
        return EmbeddedPrefix(torch.stack(conditions), torch.stack(places))


def test_a_policy_that_stacks_observations_is_asked_for_all_at_once(
    policy: Policy, demonstration: Demonstration
) -> None:
    stacking = StackingPolicy(policy)
    one, other = (reversed_rollout(demonstration, which, Reversal("euler")) for which in (policy, stacking))
    for each, same in zip(one.steps, other.steps, strict=True):
        np.testing.assert_allclose(each.noise, same.noise, atol=1e-4)
        np.testing.assert_array_equal(each.features, same.features)
    assert sorted(stacking.batches) == [CHUNKS - BATCH, BATCH]


def test_the_exact_inversion_is_nearer_than_eulers(policy: Policy, demonstration: Demonstration) -> None:
    off = {}
    for name in ("euler", "fixed_point"):
        steps = reversed_rollout(demonstration, policy, Reversal(name)).steps
        off[name] = np.mean([step.diagnostics["round_trip_rms"] for step in steps])
    assert off["fixed_point"] < off["euler"]


def test_the_baseline_needs_no_noises(policy: Policy, demonstration: Demonstration) -> None:
    made = encoded_rollout(demonstration, policy)
    assert all(step.noise is None for step in made.steps)
    data = gather([made], kind="bc")
    np.testing.assert_array_equal(data.targets, np.stack([one.chunk for one in demonstration.chunks]))
    assert gather([reversed_rollout(demonstration, policy, Reversal())], kind="bc").inputs.equal(data.inputs)


def test_an_episode_without_chunks_gives_none(policy: Policy) -> None:
    assert reversed_rollout(Demonstration("s", "t", "succeeded", ()), policy, Reversal()).steps == ()


def test_a_file_can_say_how_they_were_found() -> None:
    assert str(Reversal("euler", 5)) == "euler:steps=5"
