"""Decisions made again from what the journal kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import policy_episode
import pytest
from frs_msgs.msg import Decision, PolicyInput
from journal_samples import CHANNELS, INDEX, START
from rclpy.serialization import serialize_message

from frs_steering.policies import load_policy
from frs_steering.record.check import TOLERANCE
from frs_steering.record.replay import replay
from frs_steering.record.writer import Episode, JournalWriter, Limits

Made = list[tuple[PolicyInput, Decision]]


@pytest.fixture
def made() -> Made:
    return policy_episode.messages()


def test_every_decision_comes_out_again(made: Made, tmp_path: Path) -> None:
    found = replay(policy_episode.write(tmp_path, made), load_policy("embedded"))
    assert found.problems == ()
    assert found.again == 5 and found.worst <= TOLERANCE
    assert found.passed_over == {"by 'direct', whose noise alone does not make the chunk": 1}


def test_what_was_seen_before_the_recording_began_is_no_loss(made: Made, tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, Episode("begun"), CHANNELS, Limits())
    for number, (seen, decision) in enumerate(made):
        for topic, message in (("policy_input", seen), ("decision", decision)):
            if number or topic == "decision":
                writer.put(INDEX[topic], serialize_message(message), START, START)
    found = replay(writer.close("succeeded").path, load_policy("embedded"))
    assert (found.problems, found.again) == ((), 4)
    assert found.passed_over["made of what the policy saw before the recording began"] == 1


def darker(made: Made) -> None:
    pixels = np.array(made[0][0].images[1].data, np.uint8) // 2
    made[0][0].images[1].data = pixels.tobytes()


def other_noise(made: Made) -> None:
    made[0][1].noise_used[5] += 0.1


def other_weights(made: Made) -> None:
    made[0][1].weights_sha256 = "00" * 32


def other_seed(made: Made) -> None:
    made[0][0].seed = 99


def no_camera(made: Made) -> None:
    made[0][0].cameras = ["exterior", "top"]


def cut_image(made: Made) -> None:
    made[0][0].images[0].data = made[0][0].images[0].data[:-3]


def no_noise(made: Made) -> None:
    made[0][1].noise_used = []


def odd_method(made: Made) -> None:
    made[0][1].method = "frs:integrator=magic"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (darker, "the features came out differently, by"),
        (other_noise, "the chunk came out differently, by"),
        (other_weights, "made by 'embedded' of weights 000000000000; those given are of 'embedded'"),
        (other_seed, "what the policy saw is not in the file"),
        (no_camera, "image of camera 'wrist' is not in the file"),
        (cut_image, "image of camera 'exterior' is damaged"),
        (no_noise, "its noise and chunk must have 16 x 7 values each"),
        (odd_method, "integrator is 'magic'; it must be one of"),
    ],
)
def test_what_does_not_come_out_again_is_named(
    made: Made, tmp_path: Path, change: Callable[[Made], None], message: str
) -> None:
    change(made)
    found = replay(policy_episode.write(tmp_path, made[:2]), load_policy("embedded"))
    (problem,) = found.problems
    assert problem.startswith("decision on chunk 1 of epoch 1: ") and message in problem
    assert found.again == 2


def test_images_may_be_kept_at_the_policys_own_size(tmp_path: Path) -> None:
    policy = load_policy("embedded")
    size = policy.network.config.image_size  # type: ignore[attr-defined]
    spec = dataclasses.replace(policy.spec, image_size=size)
    policy.spec = spec  # type: ignore[misc]
    seen, decision = policy_episode.decided(policy, 1, "frs")
    assert (seen.images[0].height, seen.images[0].width) == (size, size)
    assert replay(policy_episode.write(tmp_path, [(seen, decision)]), policy).problems == ()


def test_of_two_looks_with_one_seed_the_last_counts(made: Made, tmp_path: Path) -> None:
    first = policy_episode.decided(load_policy("embedded"), 7, "base")[0]
    seen, decision = made[0]
    first.header.stamp, first.seed = seen.header.stamp, seen.seed
    path = policy_episode.write(tmp_path, [(first, made[1][1]), (seen, decision), (made[1][0], made[2][1])])
    (problem,) = replay(path, load_policy("embedded")).problems
    assert problem.startswith("decision on chunk 3")  # what it saw was never written


def test_a_decision_may_overtake_what_the_policy_saw(made: Made, tmp_path: Path) -> None:
    (one, first), (two, second) = made[:2]
    path = policy_episode.write(tmp_path, [(two, first), (one, second)])
    assert replay(path, load_policy("embedded")).problems == ()
