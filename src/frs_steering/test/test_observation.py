"""Assembly of observations: what is missing, stale or malformed is named and never filled in."""

from __future__ import annotations

import array
import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frs_steering.policies.observation import (
    Frame,
    Freshness,
    JointLayout,
    ObservationAssembler,
    ObservationError,
    rgb,
)

ARM = tuple(f"j{n}" for n in range(1, 8))
LAYOUT = JointLayout(ARM, "finger", gripper_open=0.04)
SECOND = 1_000_000_000


def frame(value: int = 7, stamp: float = 100.0) -> Frame:
    return Frame(array.array("B", [value] * 36), height=3, width=4, step=12, encoding="rgb8", stamp=int(stamp * SECOND))


def filled(now: float = 10.0) -> ObservationAssembler:
    """An assembler to which everything came at `now`."""
    assembler = ObservationAssembler(("exterior", "wrist"), LAYOUT, Freshness())
    assembler.put_image("exterior", frame(), now)
    assembler.put_image("wrist", frame(), now)
    assembler.put_joints((*ARM, "finger"), [*range(1, 8), 0.01], 100 * SECOND, now)
    assembler.put_instruction("put the egg in the basket")
    return assembler


def test_everything_there():
    assembler = filled()
    assembler.put_image("wrist", frame(9, stamp=100.05), 10.05)
    moment = assembler.assemble(10.08)
    assert moment.stamp == 100 * SECOND
    assert moment.camera_age == pytest.approx(0.08)
    assert moment.observation.images["exterior"].shape == (3, 4, 3)
    assert (moment.observation.images["wrist"] == 9).all()
    np.testing.assert_array_equal(moment.observation.joint_position, np.arange(1, 8))
    assert moment.observation.gripper == pytest.approx(0.75)
    assert moment.observation.instruction == "put the egg in the basket"


def turned(assembler: ObservationAssembler, joint: int, by: float) -> None:
    positions = np.arange(1.0, 8.0)
    positions[joint] += by
    assembler.put_joints(ARM, positions.tolist(), 100 * SECOND, 10.0)


def repeated(*turns: float, joint: int = 2) -> ObservationAssembler:
    """After one picture of the wrist's camera that comes again each time after a joint has turned to one of `turns`."""
    assembler = filled()
    for value in (9, 8):
        assembler.put_image("wrist", frame(value), 10.0)
    for turn in turns:
        turned(assembler, joint, turn)
        assembler.put_image("wrist", frame(8), 10.0)
    return assembler


def test_pictures_that_repeat_themselves_while_the_arm_turns_are_named():
    assert repeated(0.02, 0.04).why_not(10.0) == ""
    assembler = repeated(0.02, 0.04, 0.06)
    assert assembler.why_not(10.0) == "camera 'wrist' repeats one picture though the arm turns: its driver hangs"
    with pytest.raises(ObservationError, match="repeats one picture"):
        assembler.assemble(10.0)
    assembler.put_image("wrist", frame(8), 10.0)
    assert assembler.why_not(10.0), "an arm that rests again does not make it see"
    assembler.put_image("wrist", frame(7), 10.0)
    assert assembler.why_not(10.0) == ""


@pytest.mark.parametrize("turns", [[0.0] * 50, [0.001 * n for n in range(50)], [1.0] * 50, [0.02, 0.04, *[0.04] * 50]])
def test_pictures_may_repeat_themselves_where_the_arm_rests_creeps_or_is_set_elsewhere(turns: list[float]):
    assert repeated(*turns).why_not(10.0) == ""


def test_pictures_may_repeat_themselves_where_only_the_hand_turns():
    assert repeated(0.5, 1.0, 1.5, 2.0, joint=6).why_not(10.0) == ""


def test_arm_and_gripper_may_come_apart():
    assembler = filled()
    assembler.put_joints(["finger"], [0.04], 100 * SECOND, 10.01)
    assert assembler.assemble(10.02).observation.gripper == 0.0


def test_what_the_gripper_did_before_is_told():
    assembler = filled()  # 0.75 closed at 100 s
    assert assembler.assemble(10.0).observation.gripper_before == pytest.approx((0.75, 0.75)), "the first"
    for hundredth in range(1, 271):  # from 101 s on it is open, from 102 s on closed
        position = 0.0 if hundredth >= 200 else 0.04 if hundredth >= 100 else 0.01
        assembler.put_joints(["finger"], [position], (100 * 100 + hundredth) * SECOND // 100, 10.0)
    assembler.put_joints(ARM, range(1, 8), 10270 * SECOND // 100, 10.0)
    for camera in ("exterior", "wrist"):
        assembler.put_image(camera, frame(stamp=102.7), 10.0)
    seen = assembler.assemble(10.0).observation
    assert (seen.gripper, *seen.gripper_before) == (1.0, 0.0, 0.0), "now, 0.8 s before, 1.6 s before"


def test_a_gripper_whose_clock_went_back_is_remembered_from_there():
    assembler = filled()
    assembler.put_joints(["finger"], [0.04], 99 * SECOND + SECOND - 1, 10.0)
    assert assembler.assemble(10.0).observation.gripper_before == (0.0, 0.0)


def test_camera_that_never_came_is_named():
    assembler = ObservationAssembler(("exterior", "wrist"), LAYOUT, Freshness())
    assembler.put_image("exterior", frame(), 10.0)
    with pytest.raises(ObservationError, match="camera 'wrist' never came"):
        assembler.assemble(10.0)


def test_what_never_came_is_named_before_what_is_late():
    assembler = ObservationAssembler(("exterior", "wrist"), LAYOUT, Freshness())
    assembler.put_image("exterior", frame(), 10.0)
    assert assembler.why_not(10.8) == "camera 'wrist' never came"


def test_stale_camera_is_named_with_its_age():
    assembler = filled()
    assembler.put_image("wrist", frame(), 10.75)
    with pytest.raises(ObservationError, match=r"camera 'exterior' is 0\.80 s old; at most 0\.20 s allowed"):
        assembler.assemble(10.8)


def test_stale_joint_is_named():
    assembler = filled()
    for camera in ("exterior", "wrist"):
        assembler.put_image(camera, frame(), 10.25)
    with pytest.raises(ObservationError, match=r"joint 'j1' is 0\.25 s old; at most 0\.20 s allowed"):
        assembler.assemble(10.25)


def test_missing_joint_is_named_with_those_that_came():
    assembler = ObservationAssembler((), LAYOUT, Freshness())
    assembler.put_joints(["panda_joint1"], [0.0], 0, 10.0)
    with pytest.raises(ObservationError, match="joint 'j1' never came; joint states name panda_joint1"):
        assembler.assemble(10.0)


def test_more_names_than_positions_leaves_the_rest_missing():
    assembler = ObservationAssembler((), LAYOUT, Freshness())
    assembler.put_joints((*ARM, "finger"), [0.0] * 7, 0, 10.0)
    with pytest.raises(ObservationError, match="joint 'finger' never came"):
        assembler.assemble(10.0)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_joint_that_is_not_finite_is_named(value):
    assembler = filled()
    assembler.put_joints(["j3"], [value], 100 * SECOND, 10.0)
    with pytest.raises(ObservationError, match=r"joint 'j3' is at (nan|inf); it must be finite"):
        assembler.assemble(10.0)


@pytest.mark.parametrize("text", [None, "  "])
def test_missing_instruction_is_named(text):
    assembler = filled()
    assembler.put_instruction(text or "")
    with pytest.raises(ObservationError, match="no instruction came"):
        assembler.assemble(10.0)


def test_streams_too_far_apart_are_named():
    assembler = filled()
    assembler.put_image("wrist", frame(stamp=100.5), 10.0)
    with pytest.raises(ObservationError, match=r"camera 'exterior' is stamped 0\.500 s before camera 'wrist'"):
        assembler.assemble(10.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoding": "mono8"}, "sends encoding 'mono8'; it must be 'rgb8' or 'bgr8'"),
        ({"step": 11}, "sends rows of 11 bytes; rgb8 of 4 x 3 pixels needs 12"),
        ({"height": 4}, "sends 36 bytes; 4 rows of 12 bytes are 48"),
        ({"width": 0}, "an image of 0 x 3 pixels"),
        ({"data": b""}, "sends 0 bytes"),
    ],
)
def test_malformed_image_is_named(change, message):
    assembler = filled()
    assembler.put_image("wrist", dataclasses.replace(frame(), **change), 10.0)
    with pytest.raises(ObservationError, match=f"camera 'wrist' .*{message}"):
        assembler.assemble(10.0)


@given(
    st.integers(1, 6), st.integers(1, 6), st.integers(0, 5), st.sampled_from(["rgb8", "bgr8"]), st.integers(0, 2**32)
)
def test_pixels_survive_padding_and_channel_order(height, width, padding, encoding, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    sent = pixels[..., ::-1] if encoding == "bgr8" else pixels
    padded = np.pad(sent.reshape(height, -1), ((0, 0), (0, padding)), constant_values=255)
    found = rgb("wrist", Frame(padded.tobytes(), height, width, 3 * width + padding, encoding, 0))
    np.testing.assert_array_equal(found, pixels)


def test_plain_rgb_is_not_copied():
    image = frame()
    assert np.shares_memory(rgb("wrist", image), np.frombuffer(image.data, np.uint8))
