"""Episodes that a noise policy decides."""

import dataclasses
from pathlib import Path

import noise_policy_file
import numpy as np
import pytest

from frs_sim.cell import Cell, Eyes
from frs_sim.evaluation import run_episode
from frs_sim.learned import LEARNED, decide_learned, load_learned
from frs_sim.rows import NOBODY, Journal, Trial
from frs_sim.tasks import FIRST_HELD_OUT_SEED, TRAINING
from frs_sim.trials import TrialError, run_trials
from frs_steering.learn.noise_data import Sampler
from frs_steering.learn.noise_policy import NoisePolicyError, load
from frs_steering.policies import Observation, load_policy
from frs_steering.steer.method import Method

TASK, SCENE = TRAINING[0], FIRST_HELD_OUT_SEED


def observation() -> Observation:
    policy = load_policy("embedded")
    rng = np.random.default_rng(0)
    images = {name: rng.integers(0, 256, (64, 64, 3), np.uint8) for name in policy.spec.cameras}
    return Observation(images, np.zeros(7), 0.5, (0.0, 0.0), "tidy up")


def test_its_noise_is_denoised_by_the_policy(tmp_path: Path) -> None:
    policy, noise_policy = load_policy("embedded"), load(noise_policy_file.write(tmp_path / "n.safetensors"))
    made = decide_learned(policy, observation(), noise_policy, seed=3)
    said = noise_policy.propose(made.answer.features, np.zeros(7), 0.5, seed=3)
    assert made.answer.noise_used is not None and made.evaluations == 10
    np.testing.assert_allclose(made.answer.noise_used, np.repeat(said, policy.spec.horizon, 0), rtol=1e-6)
    assert str(made.method) == "noise:noise=tiled"


def test_its_noise_is_denoised_as_it_was_meant(tmp_path: Path) -> None:
    policy, said = load_policy("embedded"), load(noise_policy_file.write(tmp_path / "n.safetensors"))
    other = dataclasses.replace(said.trained_on, sampler=Sampler("midpoint", 5))
    made = decide_learned(policy, observation(), dataclasses.replace(said, trained_on=other), seed=3)
    assert str(made.method) == "noise:steps=5,integrator=midpoint,noise=tiled" and made.evaluations == 10
    euler = decide_learned(policy, observation(), said, seed=3).answer
    assert made.answer.noise_used is not None and made.answer.chunk is not None and euler.chunk is not None
    np.testing.assert_array_equal(made.answer.noise_used, euler.noise_used)
    assert np.abs(made.answer.chunk - euler.chunk).max() > 1e-4


def test_its_chunk_is_driven_without_the_policy(tmp_path: Path) -> None:
    policy, noise_policy = load_policy("embedded"), load(noise_policy_file.write(tmp_path / "n.safetensors", "bc"))
    made = decide_learned(policy, observation(), noise_policy, seed=3)
    assert made.evaluations == 0 and made.answer.chunk is not None
    assert made.answer.chunk.shape == (policy.spec.horizon, policy.spec.dim)


def test_it_decides_the_whole_episode(tmp_path: Path) -> None:
    noise_policy = load(noise_policy_file.write(tmp_path / "n.safetensors"))
    cell = Cell(TASK, SCENE)
    eyes = Eyes(cell.model)
    one, two = (
        dataclasses.replace(
            run_episode(cell, eyes, load_policy("embedded"), TASK, SCENE, method=Method(), reasoner=None,
                        noise_policy=noise_policy), wall_time=0.0, decide_time=0.0)
        for _ in range(2)
    )  # fmt: skip
    eyes.close()
    assert one == two and one.steered == 0 and one.evaluations == 10 * one.decisions


def test_only_one_file_a_method_and_only_for_its_policy(tmp_path: Path) -> None:
    spec = load_policy("embedded").spec
    files = [noise_policy_file.write(tmp_path / f"{kind}.safetensors", kind) for kind in ("dsbc", "bc")]
    files.insert(1, noise_policy_file.write(tmp_path / "demonstrated.safetensors", demonstrations="euler:steps=10"))
    assert {method: found.path for method, found in load_learned(files, spec).items()} == dict(
        zip(LEARNED, files, strict=True)
    )
    for which, method in ((1, "offline-dsbc"), (2, "bc")):
        with pytest.raises(ValueError, match=f"is the second file for '{method}'"):
            load_learned([files[which], files[which]], spec)
    other = noise_policy_file.write(tmp_path / "other.safetensors", weights="00" * 32)
    with pytest.raises(NoisePolicyError, match="other@.* was trained with 'embedded' of weights 000000000000"):
        load_learned([other], spec)


def test_a_file_that_is_replaced_meanwhile_is_noticed(tmp_path: Path) -> None:
    path = noise_policy_file.write(tmp_path / "n.safetensors")
    trial = Trial(TASK, "dsbc", NOBODY, 1, 0, SCENE, "weights", "code", False, noise_policy="another digest")
    with Journal(tmp_path / "rows") as journal, pytest.raises(TrialError, match="was replaced while the evaluation"):
        run_trials([trial], 1, None, journal, {"dsbc": path})
