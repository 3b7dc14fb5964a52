"""Ten thousand hostile chunks, and no limit of the arm is ever exceeded."""

from __future__ import annotations

import pytest
from hostile_chunks import SPACES, breaches, drive
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from frs_steering.arm.robots import ROBOTS, Robot
from frs_steering.robot.spaces import ActionSpace

EXAMPLES = 50
CHUNKS = 200

drawn = {
    "seed": st.integers(0, 2**32 - 1),
    "space": st.sampled_from(SPACES),
    "robot": st.sampled_from(list(ROBOTS.values())),
}


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")  # rows of 1e300
@given(**drawn)
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
def test_ten_thousand_hostile_chunks_exceed_no_limit(seed: int, space: ActionSpace, robot: Robot) -> None:
    trace = drive(seed, CHUNKS, space, robot)
    assert trace.accepted, "a test in which nothing drives shows nothing"
    assert not breaches(trace)
