"""The expert as a driver of episodes: it does the task, and the policy learns nothing of what it knows."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from frs_sim.cell import Cell, Eyes
from frs_sim.demonstrator import Demonstrator
from frs_sim.evaluation import run_episode
from frs_sim.tasks import FIRST_HELD_OUT_SEED, TRAINING
from frs_steering.policies import Observation, Policy
from frs_steering.steer.decision import Decided
from frs_steering.steer.guidance import Guidance
from frs_steering.steer.method import Method

TASK, SCENE = TRAINING[0], FIRST_HELD_OUT_SEED


class Watch:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.made: list[tuple[int, Observation, Guidance | None, Decided]] = []

    def decided(
        self, number: int, tick: int, observation: Observation, guidance: Guidance | None, made: Decided, seed: int
    ) -> None:
        self.made.append((tick, observation, guidance, made))

    def stepped(self, tick: int, outcome: Any) -> None:
        pass


def test_it_does_the_task_by_chunks_of_its_own(workshop: tuple[Cell, Eyes, Policy]) -> None:
    watch = Watch()
    episode = run_episode(*workshop, TASK, SCENE, method=Method("direct"), reasoner=Demonstrator(3), watcher=watch)
    assert episode.success and episode.evaluations == episode.steered == 0
    assert [tick for tick, *_ in watch.made] == list(range(1, episode.steps + 1, 3))
    policy = workshop[2]
    for _, observation, guidance, made in watch.made[::7]:
        assert guidance is None and str(made.method) == "direct" and made.reference is None
        assert made.answer.chunk is not None and made.answer.noise_used is None
        assert made.answer.chunk.shape == (policy.spec.horizon, policy.spec.dim)
        features = policy.encode(policy.prepare(observation)).features
        np.testing.assert_array_equal(made.answer.features, features.numpy())


def test_what_lies_flat_is_taken_as_low_as_the_gate_lets_the_hand_go(workshop: tuple[Cell, Eyes, Policy]) -> None:
    scene = FIRST_HELD_OUT_SEED + 1_000_012  # of a ring, 18 mm high
    assert run_episode(*workshop, "ring_on_stand", scene, method=Method("direct"), reasoner=Demonstrator()).success


def test_the_policy_sees_no_more_than_a_robot_does(
    workshop: tuple[Cell, Eyes, Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    policy, seen = workshop[2], []
    prepare = policy.prepare
    monkeypatch.setattr(policy, "prepare", lambda observation: (seen.append(observation), prepare(observation))[1])
    run_episode(*workshop, TASK, SCENE, method=Method("direct"), reasoner=Demonstrator(40))
    assert seen and all(type(observation) is Observation for observation in seen)
    assert {field.name for field in dataclasses.fields(Observation)} == {
        "images", "joint_position", "gripper", "gripper_before", "instruction"
    }  # fmt: skip
