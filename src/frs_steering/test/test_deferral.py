"""When a steered chunk is dropped for the policy's own."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from frs_steering.steer.deferral import Trust, reason_to_defer
from frs_steering.steer.diagnostics import Diagnostics
from frs_steering.steer.query import Answer, Timings


def found(diagnostics: Diagnostics, chunk: np.ndarray | None = None) -> Answer:
    return Answer(np.zeros(1), None, None, np.zeros((2, 3)) if chunk is None else chunk, diagnostics, Timings())


def test_a_chunk_that_is_not_finite_is_never_trusted():
    chunk = np.array([[0.0, math.nan, math.inf]])
    assert reason_to_defer(found(Diagnostics(), chunk), Trust()) == "the chunk has 2 values that are not finite"


@given(st.floats(0, 1), st.floats(0, 1e6), st.floats(-1, 1), st.floats(0, 1e6))
def test_the_defaults_trust_everything(percentile, lost, agreement, residual):
    assert reason_to_defer(found(Diagnostics(percentile, lost, agreement, 20, residual)), Trust()) == ""


def test_long_noise_is_named():
    reason = reason_to_defer(
        found(Diagnostics(noise_percentile=0.9999, agreement=1.0)), Trust(max_noise_percentile=0.999)
    )
    assert reason == "noise percentile 0.9999 is above 0.9990"


def test_short_noise_is_named():
    reason = reason_to_defer(found(Diagnostics(noise_percentile=0.0001)), Trust(min_noise_percentile=0.001))
    assert reason == "noise percentile 0.0001 is below 0.0010"


def test_disagreement_is_named():
    reason = reason_to_defer(found(Diagnostics(noise_percentile=0.5, agreement=-0.2)), Trust(min_agreement=0.0))
    assert reason == "agreement with the direction -0.20 is below 0.00"


def test_a_round_trip_that_lost_the_reference_is_named():
    reason = reason_to_defer(found(Diagnostics(round_trip_rms=0.75)), Trust(max_round_trip=0.5))
    assert reason == "round trip 0.750 is above 0.500"


def test_a_sampler_that_was_not_inverted_is_named():
    reason = reason_to_defer(found(Diagnostics(fixed_point_residual=0.012)), Trust(max_residual=1e-3))
    assert reason == "fixed-point residual 0.012 is above 0.001"


def test_what_does_not_apply_is_not_judged():
    assert reason_to_defer(found(Diagnostics(agreement=math.nan)), Trust(0.5, 0.5, 0.5, 0.5)) == ""
