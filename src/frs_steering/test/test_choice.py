"""A noise policy looks at what tells of its task, and at everything where nothing does."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from frs_steering.learn.choice import choose, columns

PARTS = (20, *[3] * 9, 7, 1)  # a condition, the places of nine things, the joints, the gripper
GRIPPER = len(PARTS) - 1
CHUNKS, EPISODES = 200, 10


def scenes(seed: int, chunks: int = CHUNKS) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs, and the number of the episode of each; things lie within 3 dm of the hand, three of ten are held."""
    draw = torch.Generator().manual_seed(seed)
    inputs = torch.randn(chunks, sum(PARTS), generator=draw) * 1.5
    inputs[:, -1] = (torch.rand(chunks, generator=draw) < 0.3).float() * 0.5
    return inputs, torch.arange(chunks) * EPISODES // chunks


def noises_towards(inputs: torch.Tensor, thing: int, place: int, seed: int) -> torch.Tensor:
    """(N, 16, 7) noises that lead to a thing, and when it is held to a place; all else is free."""
    noise = torch.randn(len(inputs), 16, 7, generator=torch.Generator().manual_seed(seed))
    parts = inputs.split(PARTS, 1)
    noise[:, :, :3] *= 0.5
    noise[:, :, :3] += torch.where(inputs[:, -1:] > 0.25, parts[place], parts[thing]).clamp(-1.0, 1.0)[:, None]
    return noise


@settings(max_examples=20)
@given(st.permutations(range(1, 10)), st.integers(0, 1000))
def test_the_two_things_of_a_task_are_found_among_nine(order: list[int], seed: int) -> None:
    (thing, place), (inputs, episode) = order[:2], scenes(seed)
    chosen = choose(inputs, noises_towards(inputs, thing, place, seed), PARTS, episode)
    assert {thing, place, GRIPPER} <= set(chosen)
    assert len(chosen) <= 5
    assert list(chosen) == sorted(chosen)


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_the_most_telling_part_is_found_in_a_single_episode(seed: int) -> None:
    inputs, _ = scenes(seed, 40)
    assert 4 in choose(inputs, noises_towards(inputs, 4, 4, seed), PARTS, torch.zeros(40, dtype=torch.int64))


def test_where_nothing_tells_anything_all_is_looked_at() -> None:
    everything = tuple(range(len(PARTS)))
    for chunks in (15, 40, 100, 200):
        found = 0
        for seed in range(20):
            inputs, episode = scenes(seed, chunks)
            noise = torch.randn(chunks, 16, 7, generator=torch.Generator().manual_seed(1000 + seed))
            found += choose(inputs, noise, PARTS, episode) != everything
        assert found <= 1, f"{found} of 20 times something was chosen by chance from {chunks} chunks"


def test_a_policy_that_tells_no_parts_is_looked_at_as_a_whole() -> None:
    inputs, episode = scenes(0)
    parts = (sum(PARTS) - 8, 7, 1)
    assert choose(inputs, noises_towards(inputs, 2, 5, 0), parts, episode) == (0, 1, 2)


def test_a_joint_far_from_zero_tells_as_well_as_one_around_it() -> None:
    inputs, episode = scenes(0)
    inputs[:, -8:-1] = torch.tensor([0.0, -0.8, 0.0, -2.4, 0.0, 1.6, 0.8]) + 0.1 * inputs[:, -8:-1]
    for joint in range(7):
        noise = noises_towards(inputs, 2, 2, joint)
        noise[:, :, 4] += torch.sign(inputs[:, -8 + joint] - inputs[:, -8 + joint].median())[:, None]
        assert GRIPPER - 1 in choose(inputs, noise, PARTS, episode), f"joint {joint + 1}"


def test_a_thing_that_hardly_moves_is_not_blown_up_to_one_that_does() -> None:
    inputs, episode = scenes(3)
    inputs[:, 20:23] *= 1e-4  # where the first thing is believed to be in scenes in which there is none
    assert 1 not in choose(inputs, noises_towards(inputs, 2, 5, 3), PARTS, episode)


def test_of_many_chunks_some_are_enough() -> None:
    inputs, episode = scenes(5, 12_000)
    assert {2, 5, GRIPPER} <= set(choose(inputs, noises_towards(inputs, 2, 5, 5), PARTS, episode))


def test_columns_of_parts() -> None:
    assert columns((2, 3, 1), (1, 2)) == (2, 3, 4, 5)
    assert columns((2, 3, 1), (0, 1, 2)) == tuple(range(6))
