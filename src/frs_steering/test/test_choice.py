"""A noise policy looks at what tells of its task, and at everything where nothing does."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from frs_steering.learn.choice import Choice, choose, columns

PARTS = (20, *[3] * 9, 7, 1)  # a condition, the places of nine things, the joints, the gripper
JOINTS = len(PARTS) - 2
SAID = torch.tensor([[True] * 3 + [False] * 4] * 16)
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


def found(inputs: torch.Tensor, noise: torch.Tensor, episode: torch.Tensor, said: torch.Tensor = SAID) -> Choice:
    choice = choose(inputs, noise, said, PARTS, episode)
    assert choice is not None
    return choice


@settings(max_examples=10)
@given(st.permutations(range(1, 10)), st.integers(0, 1000))
def test_the_two_things_of_a_task_are_found_among_nine(order: list[int], seed: int) -> None:
    (thing, place), (inputs, episode) = order[:2], scenes(seed)
    choice = found(inputs, noises_towards(inputs, thing, place, seed), episode)
    assert thing in choice.opened and place in choice.closed, "each when it matters"
    assert place not in choice.opened and thing not in choice.closed
    assert len(choice.opened) + len(choice.closed) <= 4, "and little else"
    assert 0.0 < choice.closed_above < 0.5
    assert list(choice.opened) == sorted(choice.opened)


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_the_most_telling_part_is_found_in_a_single_episode(seed: int) -> None:
    inputs, _ = scenes(seed, 40)
    assert 4 in found(inputs, noises_towards(inputs, 4, 4, seed), torch.zeros(40, dtype=torch.int64)).opened


def test_what_is_not_said_is_not_asked_for() -> None:
    inputs, episode = scenes(1)
    noise = noises_towards(inputs, 2, 5, 1)
    assert choose(inputs, noise, ~SAID, PARTS, episode) is None, "the rest of the noise follows from nothing"


def test_where_nothing_tells_anything_all_is_looked_at() -> None:
    for chunks in (15, 40, 200):
        chosen = 0
        for seed in range(10):
            inputs, episode = scenes(seed, chunks)
            noise = torch.randn(chunks, 16, 7, generator=torch.Generator().manual_seed(1000 + seed))
            chosen += choose(inputs, noise, SAID, PARTS, episode) is not None
        assert chosen <= 1, f"{chosen} of 10 times something was chosen by chance from {chunks} chunks"


def test_a_policy_that_tells_no_parts_is_looked_at_as_a_whole() -> None:
    inputs, episode = scenes(0)
    parts = (sum(PARTS) - 8, 7, 1)
    assert choose(inputs, noises_towards(inputs, 2, 5, 0), SAID, parts, episode) is None


def test_a_joint_far_from_zero_tells_as_well_as_one_around_it() -> None:
    inputs, episode = scenes(0)
    inputs[:, -8:-1] = torch.tensor([0.0, -0.8, 0.0, -2.4, 0.0, 1.6, 0.8]) + 0.1 * inputs[:, -8:-1]
    for joint in range(7):
        noise = noises_towards(inputs, 2, 2, joint)
        noise[:, :, 4] += torch.sign(inputs[:, -8 + joint] - inputs[:, -8 + joint].median())[:, None]
        choice = found(inputs, noise, episode, torch.ones(16, 7, dtype=torch.bool))
        assert JOINTS in choice.opened, f"joint {joint + 1}"


def test_a_thing_that_hardly_moves_is_not_blown_up_to_one_that_does() -> None:
    inputs, episode = scenes(3)
    inputs[:, 20:23] *= 1e-4  # where the first thing is believed to be in scenes in which there is none
    choice = found(inputs, noises_towards(inputs, 2, 5, 3), episode)
    assert 1 not in choice.opened and 1 not in choice.closed


def test_of_many_chunks_some_are_enough() -> None:
    inputs, episode = scenes(5, 12_000)
    choice = found(inputs, noises_towards(inputs, 2, 5, 5), episode)
    assert 2 in choice.opened and 5 in choice.closed


def test_columns_of_parts() -> None:
    assert columns((2, 3, 1), (1, 2)) == (2, 3, 4, 5)
    assert columns((2, 3, 1), (0, 1, 2)) == tuple(range(6))
