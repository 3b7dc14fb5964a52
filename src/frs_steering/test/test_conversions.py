"""Messages to core values and back: what is wrong is named."""

from __future__ import annotations

import array
import dataclasses
import math

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from hypothesis import given
from hypothesis import strategies as st
from policy_examples import SPEC
from sensor_msgs.msg import Image

from frs_steering.nodes.conversions import (
    MessageError,
    duration_msg,
    floats,
    frame_from_msg,
    guidance_from_msg,
    guidance_to_msg,
    nanoseconds,
    policy_info_to_msg,
    rows,
    seconds,
    spec_from_msg,
    time_msg,
)
from frs_steering.steer.guidance import DIRECTIONS, GripperWish, Guidance, GuidanceError, GuidanceSource

WISH = Guidance(GuidanceSource.HUMAN, "someone", direction=(0.0, 1.0, 0.0), amount=0.5, validity=1.5)


@given(st.integers(0, 2**31 * 10**9 - 1))
def test_stamps_round_trip(stamp):
    assert nanoseconds(time_msg(stamp)) == stamp


@given(st.floats(0, 1e5))
def test_durations_round_trip(value):
    assert seconds(duration_msg(value)) == pytest.approx(value, abs=2e-9)


@given(st.integers(0, 5), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_rows_round_trip(height, width, seed):
    chunk = np.random.default_rng(seed).standard_normal((height, width)).astype(np.float32)
    np.testing.assert_array_equal(rows("chunk", floats(chunk), (height, width)), chunk)


def test_nothing_is_an_empty_field():
    assert len(floats(None)) == 0


def test_rows_of_another_size_are_named():
    with pytest.raises(MessageError, match="chunk has 5 values; it must have 16 x 7"):
        rows("chunk", array.array("f", [0.0] * 5), (16, 7))


def test_rows_that_are_not_finite_are_named():
    with pytest.raises(MessageError, match="noise has 2 values that are not finite"):
        rows("noise", array.array("f", [0.0, math.nan, math.inf, 1.0]), (2, 2))


def test_frame_shares_the_buffer_of_the_message():
    msg = Image(height=2, width=1, step=3, encoding="rgb8")
    msg.data = array.array("B", range(6))
    msg.header.stamp = Time(sec=3, nanosec=4)
    frame = frame_from_msg(msg)
    assert frame.data is msg.data
    assert (frame.height, frame.width, frame.step, frame.encoding, frame.stamp) == (2, 1, 3, "rgb8", 3_000_000_004)


@given(
    st.sampled_from([GuidanceSource.HUMAN, GuidanceSource.VLM, GuidanceSource.SCRIPTED]),
    st.booleans(),
    st.sampled_from([(0.0, 0.0, 0.0), *DIRECTIONS.values()]),
    st.sampled_from(GripperWish),
    st.sampled_from([0.0, 0.5, 1.0]),
)
def test_guidance_round_trips(source, defer, direction, gripper, amount):
    guidance = Guidance(source, "name", defer, direction, "fr3_link0", amount, gripper, validity=1.25)
    assert guidance_from_msg(guidance_to_msg(guidance, Time(sec=1))) == guidance


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": 0}, "source is 0"),
        ({"source": 9}, "source is 9"),
        ({"gripper": 7}, "gripper is 7"),
        ({"amount": math.nan}, "amount is nan"),
        ({"amount": 2.0}, "amount is 2.0"),
        ({"validity": duration_msg(0.0)}, "validity is 0.0 s"),
    ],
)
def test_wrong_guidance_is_named(change, message):
    msg = guidance_to_msg(WISH, Time())
    for name, value in change.items():
        setattr(msg, name, value)
    with pytest.raises(GuidanceError, match=message):
        guidance_from_msg(msg)


@pytest.mark.parametrize("x", [math.nan, math.inf, 0.5])
def test_direction_that_is_no_unit_vector_is_named(x):
    msg = guidance_to_msg(WISH, Time())
    msg.direction.x = x
    with pytest.raises(GuidanceError, match=r"guidance direction .* has length"):
        guidance_from_msg(msg)


def test_spec_round_trips():
    assert spec_from_msg(policy_info_to_msg(SPEC, Time())) == SPEC


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dim": 8}, "dim is 8; it must be 7 in CARTESIAN_VELOCITY"),
        ({"execute_rows": 0}, r"execute_rows is 0; it must lie in \[1, horizon 16\]"),
        ({"execute_rows": 17}, "execute_rows is 17"),
        ({"row_duration": math.nan}, "row_duration is nan s"),
        ({"dim_names": ("vx",)}, "dim_names has 1 entries; it must have 7"),
        ({"full_scale": (math.inf,) * 7}, "full_scale is .*inf"),
        ({"action_space": 77}, r"action_space is 77; it must be one of 1 \(JOINT_VELOCITY\)"),
    ],
)
def test_wrong_policy_is_named(change, message):
    msg = policy_info_to_msg(dataclasses.replace(SPEC, **change), Time())
    with pytest.raises(MessageError, match=message):
        spec_from_msg(msg)
