"""From coarse wishes to rough chunks."""

import dataclasses

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from policy_examples import JOINTS, POSITIONS, SPEC

from frs_steering.policies import PolicySpec
from frs_steering.robot.fr3 import RESET_POSITION
from frs_steering.robot.kinematics import MANIPULABILITY, pose_and_jacobian, tcp_pose
from frs_steering.steer.guidance import DIRECTIONS, GripperWish, Guidance, GuidanceError, GuidanceSource
from frs_steering.steer.motion import translation
from frs_steering.steer.reference import FULL_SPEED, check, reference_chunk, reference_for, rest_chunk

near_reset = st.lists(st.floats(-0.25, 0.25), min_size=7, max_size=7).map(lambda off: RESET_POSITION + np.array(off))
directions = st.tuples(*[st.integers(-1, 1)] * 3).filter(any).map(lambda d: tuple(np.array(d) / np.linalg.norm(d)))


def wish(**fields) -> Guidance:
    return Guidance(GuidanceSource.HUMAN, **fields)


@given(st.sampled_from(sorted(DIRECTIONS)), st.floats(0.1, 1.0), st.sampled_from(GripperWish))
def test_only_what_is_wished_is_commanded(name: str, amount: float, gripper: GripperWish) -> None:
    reference = reference_chunk(wish(direction=DIRECTIONS[name], amount=amount, gripper=gripper), SPEC, RESET_POSITION)
    np.testing.assert_allclose(reference.chunk[:, :3], np.tile(DIRECTIONS[name], (16, 1)) * amount * 0.25, rtol=1e-6)
    assert not reference.chunk[:, 3:6].any()
    assert list(reference.mask) == [True] * 3 + [False] * 3 + [gripper is not GripperWish.KEEP]
    if gripper is not GripperWish.KEEP:
        assert (reference.chunk[:, 6] == (gripper is GripperWish.CLOSE)).all()


@pytest.mark.parametrize(("spec", "columns"), [(SPEC, 6), (JOINTS, 7), (POSITIONS, 7)])
def test_a_gripper_wish_alone_leaves_the_motion_to_the_policy(spec: PolicySpec, columns: int) -> None:
    reference = reference_chunk(wish(gripper=GripperWish.CLOSE), spec, RESET_POSITION)
    assert list(reference.mask) == [False] * columns + [True]
    assert (reference.chunk[:, -1] == 1.0).all()


def test_an_amount_of_nothing_asks_to_stay() -> None:
    for spec, columns in ((SPEC, 3), (JOINTS, 7)):
        reference = reference_chunk(wish(direction=(1.0, 0.0, 0.0), amount=0.0), spec, RESET_POSITION)
        assert not reference.chunk.any()
        assert int(reference.mask.sum()) == columns


@pytest.mark.parametrize(("measured", "told"), [(0.0, 0.0), (0.03, 0.0), (0.1, 1.0), (0.45, 1.0), (1.0, 1.0)])
def test_at_rest_nothing_moves_and_the_gripper_goes_on_with_what_it_does(measured: float, told: float) -> None:
    for spec in (SPEC, JOINTS, POSITIONS):
        rest = rest_chunk(spec, RESET_POSITION, measured)
        assert rest.shape == (16, spec.dim) and rest.dtype == np.float32
        np.testing.assert_allclose(translation(rest, spec, RESET_POSITION), 0.0, atol=1e-7)
        assert (rest[:, -1] == told).all()


@given(near_reset, directions, st.floats(0.2, 1.0))
@example(
    RESET_POSITION + [0.0, -0.25, 0.0, -0.125, 0.0, 0.0, 0.0], (-0.7071067811865475, 0.0, -0.7071067811865475), 1.0
)
@example(RESET_POSITION + [0.0, 0.0, 0.0, -0.1875, 0.0, 0.0, 0.0], (-0.7071067811865475, 0.0, -0.7071067811865475), 1.0)
@settings(max_examples=40)
def test_joint_rows_move_the_tcp_straight(position: np.ndarray, direction: tuple, amount: float) -> None:
    guidance = wish(direction=direction, amount=amount)
    reference = reference_chunk(guidance, JOINTS, position)
    assert list(reference.mask) == [True] * 7 + [False]
    path = position + np.cumsum(reference.chunk[:, :7].astype(np.float64), 0) * JOINTS.row_duration
    # Toward a singularity, as where the elbow is folded up, damping lets it lag.
    singular = [_manipulability(joints) < MANIPULABILITY for joints in path]
    poses = tcp_pose(path[: singular.index(True) if any(singular) else None])
    assert len(poses) > 1
    moved = poses[:, :3, 3] - tcp_pose(position)[:3, 3]
    along = moved @ np.array(direction)
    assert np.abs(moved - along[:, None] * np.array(direction)).max() < 0.003  # m off the line
    np.testing.assert_allclose(np.diff(along), amount * FULL_SPEED * JOINTS.row_duration, rtol=0.2)
    turned = np.arccos(np.clip((np.einsum("kij,ij->k", poses[:, :3, :3], tcp_pose(position)[:3, :3]) - 1) / 2, -1, 1))
    assert turned.max() < 0.03  # rad
    same = reference_chunk(guidance, POSITIONS, position)
    np.testing.assert_allclose(same.chunk[:, :7], path, atol=1e-6)


def _manipulability(position: np.ndarray) -> float:
    _, jacobian = pose_and_jacobian(position)
    return float(np.sqrt(np.linalg.det(jacobian @ jacobian.T)))


def test_joint_rows_stay_below_the_policys_full_scale() -> None:
    slow = dataclasses.replace(JOINTS, full_scale=(0.1,) * 7 + (1.0,))
    reference = reference_chunk(wish(direction=(0.0, 1.0, 0.0)), slow, RESET_POSITION)
    assert np.abs(reference.chunk[:, :7]).max() <= 0.1 + 1e-6
    moved = translation(reference.chunk, slow, RESET_POSITION)
    assert moved[1] > 0.95 * np.linalg.norm(moved) > 0.0


@given(near_reset, directions)
@settings(max_examples=30)
def test_a_direction_of_the_hand_is_turned_by_its_pose(position: np.ndarray, direction: tuple) -> None:
    in_hand = reference_chunk(wish(direction=direction, frame="fr3_hand_tcp"), SPEC, position)
    turned = tcp_pose(position)[:3, :3] @ np.array(direction)
    np.testing.assert_allclose(in_hand.chunk[0, :3], 0.25 * turned, atol=1e-6)
    back = dataclasses.replace(SPEC, frame_id="fr3_hand_tcp")
    in_base = reference_chunk(wish(direction=direction), back, position)
    np.testing.assert_allclose(in_base.chunk[0, :3], 0.25 * tcp_pose(position)[:3, :3].T @ direction, atol=1e-6)
    joints = reference_chunk(wish(direction=direction, frame="fr3_hand_tcp", amount=0.3), JOINTS, position)
    moved = translation(joints.chunk, JOINTS, position)
    assert moved @ turned > 0.99 * np.linalg.norm(moved)


def test_another_frame_is_refused() -> None:
    guidance = wish(direction=(1.0, 0.0, 0.0), frame="map")
    for spec in (SPEC, JOINTS):
        with pytest.raises(GuidanceError, match="frame is 'map'; it must be 'fr3_link0' or 'fr3_hand_tcp'"):
            reference_chunk(guidance, spec, RESET_POSITION)
    strange = dataclasses.replace(SPEC, frame_id="table")
    with pytest.raises(GuidanceError, match="frame is 'fr3_link0'; it must be 'table'"):
        check(wish(direction=(1.0, 0.0, 0.0)), strange)
    check(wish(defer=True, frame="map"), SPEC)  # nothing is turned


def test_who_wishes_nothing_has_no_reference() -> None:
    for guidance in (None, wish(), wish(direction=(1.0, 0.0, 0.0), defer=True)):
        assert reference_for(guidance, SPEC, RESET_POSITION) is None


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
