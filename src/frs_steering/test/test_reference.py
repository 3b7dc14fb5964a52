"""From coarse wishes to rough chunks."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frs_steering.policies import PolicySpec
from frs_steering.robot.spaces import ActionSpace
from frs_steering.steer.guidance import DIRECTIONS, GripperWish, Guidance, GuidanceError, GuidanceSource
from frs_steering.steer.reference import reference_chunk

SPEC = PolicySpec(
    name="p", weights_sha256="", action_space=ActionSpace.CARTESIAN_VELOCITY, horizon=16, dim=7, execute_rows=8,
    row_duration=1 / 15, frame_id="fr3_link0", dim_names=("vx", "vy", "vz", "wx", "wy", "wz", "gripper"),
    full_scale=(0.25, 0.25, 0.25, 0.5, 0.5, 0.5, 1.0), cameras=("exterior", "wrist"),
)  # fmt: skip


@given(st.sampled_from(sorted(DIRECTIONS)), st.floats(0.1, 1.0), st.sampled_from(GripperWish))
def test_only_what_is_wished_is_commanded(name: str, amount: float, gripper: GripperWish) -> None:
    guidance = Guidance(GuidanceSource.HUMAN, direction=DIRECTIONS[name], amount=amount, gripper=gripper)
    reference = reference_chunk(guidance, SPEC)
    np.testing.assert_allclose(reference.chunk[:, :3], np.tile(DIRECTIONS[name], (16, 1)) * amount * 0.25, rtol=1e-6)
    assert not reference.chunk[:, 3:6].any()
    assert list(reference.mask) == [True] * 3 + [False] * 3 + [gripper is not GripperWish.KEEP]
    if gripper is not GripperWish.KEEP:
        assert (reference.chunk[:, 6] == (gripper is GripperWish.CLOSE)).all()


def test_a_gripper_wish_alone_leaves_the_translation_to_the_policy() -> None:
    reference = reference_chunk(Guidance(GuidanceSource.HUMAN, gripper=GripperWish.CLOSE), SPEC)
    assert list(reference.mask) == [False] * 6 + [True]


def test_another_frame_or_space_is_refused() -> None:
    wish = Guidance(GuidanceSource.HUMAN, direction=(1.0, 0.0, 0.0), frame="map")
    with pytest.raises(GuidanceError, match="frame is 'map'; it must be 'fr3_link0'"):
        reference_chunk(wish, SPEC)
    joints = dataclasses.replace(SPEC, action_space=ActionSpace.JOINT_VELOCITY)
    with pytest.raises(GuidanceError, match="JOINT_VELOCITY"):
        reference_chunk(Guidance(GuidanceSource.HUMAN, direction=(1.0, 0.0, 0.0)), joints)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"direction": (1.0, 1.0, 0.0)}, "length 1.414"),
        ({"direction": (float("nan"), 0.0, 0.0)}, "length nan"),
        ({"amount": 1.5}, "amount is 1.5"),
        ({"amount": float("nan")}, "amount is nan"),
        ({"validity": 0.0}, "validity is 0.0"),
    ],
)
def test_a_wish_that_makes_no_sense_is_named(fields: dict, words: str) -> None:
    with pytest.raises(GuidanceError, match=words):
        Guidance(GuidanceSource.HUMAN, **fields)
