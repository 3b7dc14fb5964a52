"""What is asked, in which order, until a chunk counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frs_steering.steer.deferral import Trust
from frs_steering.steer.diagnostics import Diagnostics
from frs_steering.steer.making import Making, Next, Proposal
from frs_steering.steer.method import parse_method
from frs_steering.steer.query import Answer, Operation
from frs_steering.steer.reference import Reference

WISHED = Reference(np.zeros((16, 7), np.float32), np.array([True] * 3 + [False] * 4))
SAID = Proposal(np.ones((1, 7), np.float32), "tiled", "egg@0123")
STRICT = Trust(max_noise_percentile=0.9)


def making(reference: Reference | None = None, *, noise_policy: bool = False, trust: Trust | None = None) -> Making:
    method = parse_method("frs:steps=20")
    return Making(reference, noise_policy=noise_policy, method=method, trust=trust or Trust(), seed=7)


def answer(percentile: float = 0.5) -> Answer:
    return Answer(np.zeros(3, np.float32), diagnostics=Diagnostics(noise_percentile=percentile))


def test_a_wish_is_steered_though_a_noise_policy_is_live():
    made = making(WISHED, noise_policy=True)
    assert (made.query.operation, str(made.query.method), made.query.seed) == (Operation.STEER, "frs:steps=20", 7)
    assert made.answered(answer()) is Next.DONE
    assert (made.reference, made.noise_policy, made.defer_reason) == (WISHED, "", "")


def test_without_a_wish_the_noise_policy_says_what_is_denoised():
    made = making(noise_policy=True)
    assert (made.query.operation, made.query.seed) == (Operation.ENCODE, 7)
    assert made.answered(answer(math.nan)) is Next.PROPOSE
    made.proposed(SAID)
    assert (made.query.operation, made.query.seed) == (Operation.DENOISE, 7)
    assert str(made.query.method) == "noise:noise=tiled", "whatever the method's steps"
    assert made.query.noise is SAID.noise
    assert made.answered(answer()) is Next.DONE
    assert (made.reference, made.noise_policy, made.defer_reason) == (None, "egg@0123", "")


def test_without_both_the_base_policy_acts():
    made = making()
    assert (made.query.operation, str(made.query.method)) == (Operation.SAMPLE, "base:steps=20")
    assert made.answered(answer()) is Next.DONE


@pytest.mark.parametrize("reference", [WISHED, None])
def test_a_chunk_that_is_not_trusted_is_replaced_by_the_base_policys(reference: Reference | None):
    made = making(reference, noise_policy=True, trust=STRICT)
    if reference is None:
        made.answered(answer(math.nan))
        made.proposed(SAID)
    assert made.answered(answer(0.99)) is Next.ASK
    assert made.query.operation is Operation.SAMPLE
    assert made.answered(answer(0.99)) is Next.DONE  # the policy's own chunk is not judged
    assert (made.reference, made.noise_policy) == (None, "")
    assert "noise percentile 0.9900 is above 0.9000" in made.defer_reason


@given(st.booleans(), st.booleans(), st.lists(st.sampled_from(["fine", "strange", "fails"]), max_size=8))
def test_it_always_ends_in_a_chunk(wished: bool, noise_policy: bool, events: list[str]):
    """Whatever the noise policy and the diagnostics do: after three queries at most there is a chunk to send."""
    made = making(WISHED if wished else None, noise_policy=noise_policy, trust=STRICT)
    asked = [made.query.operation]
    for event in [*events, "fine", "fine", "fine"]:
        step = made.answered(answer(0.99 if event == "strange" else 0.5))
        if step is Next.DONE:
            break
        if step is Next.PROPOSE and event == "fails":
            made.fall_back("the noise policy failed")
        elif step is Next.PROPOSE:
            made.proposed(SAID)
        asked.append(made.query.operation)
    assert step is Next.DONE and len(asked) <= 3
    if made.defer_reason:
        assert asked[-1] is Operation.SAMPLE and made.reference is None and made.noise_policy == ""
    elif wished:
        assert asked == [Operation.STEER]
    elif noise_policy:
        assert asked == [Operation.ENCODE, Operation.DENOISE] and made.noise_policy == SAID.version
    else:
        assert asked == [Operation.SAMPLE]
