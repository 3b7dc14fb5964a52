"""When a steered chunk is dropped for the policy's own."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from frs_steering.steer.deferral import Trust, reason_to_defer
from frs_steering.steer.diagnostics import Diagnostics


@given(st.floats(0, 1), st.floats(-1, 1))
def test_the_defaults_trust_everything(percentile, agreement):
    assert reason_to_defer(Diagnostics(noise_percentile=percentile, agreement=agreement), Trust()) == ""


def test_long_noise_is_named():
    reason = reason_to_defer(Diagnostics(noise_percentile=0.9999, agreement=1.0), Trust(max_noise_percentile=0.999))
    assert reason == "noise percentile 0.9999 is above 0.9990"


def test_disagreement_is_named():
    reason = reason_to_defer(Diagnostics(noise_percentile=0.5, agreement=-0.2), Trust(min_agreement=0.0))
    assert reason == "agreement with the direction -0.20 is below 0.00"


def test_what_does_not_apply_is_not_judged():
    assert reason_to_defer(Diagnostics(agreement=math.nan), Trust(0.5, 0.5)) == ""
