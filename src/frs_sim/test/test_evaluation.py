"""Episodes: who is asked when, and what the policy is shown."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from frs_sim import evaluation
from frs_sim.cell import Cell, Eyes, Truth
from frs_sim.evaluation import NEAR_END, run_episode
from frs_sim.expert import plan
from frs_sim.reasoners import Situation
from frs_sim.rows import Episode
from frs_sim.tasks import FIRST_HELD_OUT_SEED, TRAINING
from frs_steering.arm.outcome import Outcome
from frs_steering.policies import Observation, Policy
from frs_steering.steer.guidance import DIRECTIONS, Guidance, GuidanceSource
from frs_steering.steer.method import parse_method

TASK, SCENE = TRAINING[0], FIRST_HELD_OUT_SEED


class Upwards:
    """Says "up" whenever it is asked, and counts. Up there nothing is done, so that the episode takes its full time."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, situation: Situation) -> Guidance:
        self.asked += 1
        return Guidance(GuidanceSource.SCRIPTED, "test", direction=DIRECTIONS["+z"])


def run(workshop: tuple[Cell, Eyes, Policy], method: str, **more: Any) -> Episode:
    episode = run_episode(*workshop, TASK, SCENE, method=parse_method(method), **more)
    return dataclasses.replace(episode, wall_time=0.0, decide_time=0.0)


def test_the_reasoner_is_asked_at_every_nth_decision(workshop: tuple[Cell, Eyes, Policy]) -> None:
    reasoner = Upwards()
    episode = run(workshop, "frs:steps=1", reasoner=reasoner, every=3)
    assert reasoner.asked == episode.steered == -(-episode.decisions // 3)
    assert episode.evaluations == episode.decisions + episode.steered  # K to sample, 2 K to steer


def test_a_chunk_begins_on_the_control_step_after_its_observation(workshop: tuple[Cell, Eyes, Policy]) -> None:
    """As in the graph, where a decision takes its time and the chunk before it drives meanwhile."""
    decided: dict[int, int] = {}
    driven: list[tuple[int, int]] = []

    class Watch:
        def decided(self, number: int, tick: int, *_: Any) -> None:
            decided[tick] = number

        def stepped(self, tick: int, outcome: Outcome) -> None:
            driven.append((outcome.chunk_id, outcome.row))

    run(workshop, "frs:steps=1", reasoner=Upwards(), watcher=Watch())
    rows = workshop[2].spec.execute_rows
    assert list(decided) == list(range(1, len(driven) + 1, rows))
    assert driven == [(0, -1), *((1 + i // rows, i % rows) for i in range(len(driven) - 1))]


def test_without_a_wish_every_method_is_the_base(workshop: tuple[Cell, Eyes, Policy]) -> None:
    alone = run(workshop, "base:steps=2", reasoner=None)
    assert alone.steered == 0
    for silent in (None, lambda situation: None):
        assert run(workshop, "frs:steps=2", reasoner=silent) == alone


def test_the_base_does_not_hear_the_reasoner(workshop: tuple[Cell, Eyes, Policy]) -> None:
    assert run(workshop, "base:steps=2", reasoner=Upwards()) == run(workshop, "base:steps=2", reasoner=None)


def test_the_policy_sees_no_more_than_a_robot_does(
    workshop: tuple[Cell, Eyes, Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that reaches the policy is an observation, and that has no place for the truth."""
    cell, _, policy = workshop
    seen: list[Observation] = []
    prepare = policy.prepare

    def watch(observation: Observation) -> Any:
        seen.append(observation)
        return prepare(observation)

    monkeypatch.setattr(policy, "prepare", watch)
    run(workshop, "frs:steps=1", reasoner=Upwards())
    assert all(type(observation) is Observation for observation in seen)
    assert {field.name for field in dataclasses.fields(Observation)} == {
        "images", "joint_position", "gripper", "gripper_before", "instruction"
    }  # fmt: skip
    assert {camera for observation in seen for camera in observation.images} == set(policy.spec.cameras)
    assert {observation.instruction for observation in seen} == {cell.task.instruction}
    assert all(np.shape(observation.joint_position) == (7,) for observation in seen)


def test_measuring_changes_nothing_and_finds_the_policys_own_chunks_common(workshop: tuple[Cell, Eyes, Policy]) -> None:
    plain = run(workshop, "frs", reasoner=Upwards(), every=5)
    measured = run(workshop, "frs", reasoner=Upwards(), every=5, in_distribution=True)
    nothing: dict[str, Any] = {f"{kind}_rarity": () for kind in ("refined", "reference", "base")}
    assert dataclasses.replace(measured, **nothing) == plain
    shares = [measured.refined_rarity, measured.reference_rarity, measured.base_rarity]
    assert [len(share) for share in shares] == [measured.steered] * 3
    assert all(0.0 <= rarity <= 1.0 for share in shares for rarity in share)
    assert np.mean(measured.base_rarity) < 0.9  # uniform, were there many
    assert np.mean(measured.reference_rarity) > np.mean(measured.base_rarity)


def test_near_its_end_the_thing_is_held_above_its_place(workshop: tuple[Cell, Eyes, Policy]) -> None:
    seen: list[Truth] = []

    def watch(situation: Situation) -> None:
        seen.append(situation.truth)

    stepped: list[int] = []

    class Watch:
        def decided(self, *_: Any) -> None: ...

        def stepped(self, tick: int, outcome: Outcome) -> None:
            stepped.append(tick)

    episode = run(workshop, "frs:steps=1", reasoner=watch, near_end=True, watcher=Watch())
    goal = workshop[0].task.goals[-1]
    assert seen[0].held == goal.object
    assert np.hypot(*(seen[0].positions[goal.object] - seen[0].positions[goal.place])[:2]) < 0.02
    assert 0.0 <= seen[0].tcp_position[2] - plan(workshop[0].task, seen[0]).goal[2] < NEAR_END
    assert episode.counts and episode.steps == len(stepped) < workshop[0].steps, "not the expert's"


def test_where_the_expert_does_not_get_near_the_end_the_episode_does_not_count(
    workshop: tuple[Cell, Eyes, Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "act", lambda wanted, truth: np.zeros(7))
    episode = run(workshop, "base:steps=1", reasoner=None, near_end=True)
    assert not episode.counts and not episode.success
    assert (episode.steps, episode.decisions) == (0, 0)


def test_the_policy_can_be_told_something_else(
    workshop: tuple[Cell, Eyes, Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    policy, told = workshop[2], []
    prepare = policy.prepare

    def watch(observation: Observation) -> Any:
        told.append(observation.instruction)
        return prepare(observation)

    monkeypatch.setattr(policy, "prepare", watch)
    run(workshop, "base:steps=1", reasoner=None, instruction="do as you please")
    assert set(told) == {"do as you please"}
