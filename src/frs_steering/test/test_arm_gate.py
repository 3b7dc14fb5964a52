"""The safety gate: what it refuses of a chunk, and that no step ever leaves the limits."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable
from typing import Any

import fr3_model
import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frs_steering.arm.chunk import Chunk, requested_velocity
from frs_steering.arm.gate import Admission, Motion, Step, admit, brake, step
from frs_steering.arm.limits import FINGERTIPS, Limits, limits_of
from frs_steering.arm.robots import FR3
from frs_steering.arm.verdicts import Reason, Verdict
from frs_steering.robot.fr3 import BASE_FRAME, RESET_POSITION
from frs_steering.robot.kinematics import joint_velocity, pose_and_jacobian, tcp_pose
from frs_steering.robot.spaces import ActionSpace

PERIOD = 1 / 15
LIMITS = Limits()
STANDING = Motion(RESET_POSITION, RESET_POSITION, np.zeros(7), 0.0)

ADMISSION = Admission(
    space=ActionSpace.CARTESIAN_VELOCITY,
    frame=BASE_FRAME,
    period=PERIOD,
    lease_max=1.5,
    epoch=7,
    last_chunk_id=4,
    next_tick=100,
)
CHUNK = Chunk(
    chunk_id=5,
    epoch=7,
    space=int(ActionSpace.CARTESIAN_VELOCITY),
    frame=BASE_FRAME,
    horizon=16,
    dim=7,
    values=np.zeros(16 * 7),
    row_duration=PERIOD,
    first_tick=98,
    lease=1.0,
)


def test_a_good_chunk_is_accepted() -> None:
    assert admit(CHUNK, ADMISSION).verdict is Verdict.ACCEPTED


def with_value(value: float) -> np.ndarray:
    values = np.zeros(16 * 7)
    values[3 * 7 + 2] = value
    return values


@pytest.mark.parametrize(
    ("change", "reason", "words"),
    [
        ({"values": with_value(math.nan)}, Reason.NOT_FINITE, "nan in row 3, column 2"),
        ({"values": with_value(math.inf)}, Reason.NOT_FINITE, "inf in row 3, column 2"),
        ({"values": np.zeros(15 * 7)}, Reason.WRONG_SHAPE, "105 values for horizon 16 and dim 7"),
        ({"values": np.zeros(0), "horizon": 0}, Reason.WRONG_SHAPE, "at least one row"),
        ({"values": np.zeros(16 * 8), "dim": 8}, Reason.WRONG_SHAPE, "dim 8; CARTESIAN_VELOCITY has 7 columns"),
        ({"row_duration": 0.1}, Reason.WRONG_SHAPE, "a row lasts 0.1000 s, a control step 0.0667 s"),
        ({"row_duration": math.nan}, Reason.WRONG_SHAPE, "a row lasts nan s"),
        ({"space": 1}, Reason.WRONG_SPACE, "JOINT_VELOCITY; this arm is set to CARTESIAN_VELOCITY"),
        ({"space": 99}, Reason.WRONG_SPACE, "number 99"),
        ({"frame": "camera"}, Reason.WRONG_SPACE, "frame 'camera'; they must be in 'fr3_link0'"),
        ({"epoch": 6}, Reason.WRONG_OWNER, "owner epoch 6; the present one is 7"),
        ({"chunk_id": 4}, Reason.OLD_CHUNK, "not above 4"),
        ({"lease": 0.0}, Reason.BAD_LEASE, "lease 0.000 s; it must lie in (0, 1.500] s"),
        ({"lease": 1.6}, Reason.BAD_LEASE, "lease 1.600 s"),
        ({"lease": math.nan}, Reason.BAD_LEASE, "lease nan s"),
        ({"first_tick": 115}, Reason.BAD_LEASE, "row 0 is due in 1.000 s"),
        ({"first_tick": 84}, Reason.LATE_CHUNK, "row 0 was 16 steps ago"),
    ],
)
def test_a_bad_chunk_is_rejected_in_words(change: dict[str, Any], reason: Reason, words: str) -> None:
    judgement = admit(dataclasses.replace(CHUNK, **change), ADMISSION)
    assert (judgement.verdict, judgement.reason) == (Verdict.REJECTED, reason)
    assert words in judgement.detail
    assert f"chunk {change.get('chunk_id', 5)}:" in judgement.detail


def test_the_checks_of_a_chunk_have_a_fixed_order() -> None:
    """All is wrong with the chunk; what is named first is mended, then what is named next, until it is good."""
    chunk = dataclasses.replace(
        CHUNK, values=with_value(math.nan)[1:], row_duration=0.1, space=1, epoch=6, chunk_id=4, first_tick=84, lease=9.0
    )
    assert admit(chunk, dataclasses.replace(ADMISSION, closed=Reason.STOPPED)).reason is Reason.STOPPED
    for reason, mended in (
        (Reason.NOT_FINITE, {"values": np.zeros(111)}),
        (Reason.WRONG_SHAPE, {"values": CHUNK.values}),
        (Reason.WRONG_SHAPE, {"row_duration": PERIOD}),
        (Reason.WRONG_SPACE, {"space": CHUNK.space}),
        (Reason.WRONG_OWNER, {"epoch": CHUNK.epoch}),
        (Reason.OLD_CHUNK, {"chunk_id": CHUNK.chunk_id}),
        (Reason.LATE_CHUNK, {"first_tick": CHUNK.first_tick}),
        (Reason.BAD_LEASE, {"lease": CHUNK.lease}),
    ):
        assert admit(chunk, ADMISSION).reason is reason
        chunk = dataclasses.replace(chunk, **mended)
    assert admit(chunk, ADMISSION).verdict is Verdict.ACCEPTED


def test_nothing_is_admitted_while_the_arm_is_closed_or_unclaimed() -> None:
    closed = dataclasses.replace(ADMISSION, closed=Reason.STOPPED, closed_detail="stopped: by hand")
    assert admit(CHUNK, closed).reason is Reason.STOPPED
    assert "stopped: by hand" in admit(CHUNK, closed).detail
    unclaimed = dataclasses.replace(ADMISSION, epoch=0)
    judgement = admit(dataclasses.replace(CHUNK, epoch=0), unclaimed)
    assert judgement.reason is Reason.WRONG_OWNER
    assert "nobody has claimed the arm" in judgement.detail


def test_the_last_row_may_still_drive() -> None:
    assert admit(dataclasses.replace(CHUNK, first_tick=85), ADMISSION).verdict is Verdict.ACCEPTED


def test_full_scale_of_droid_is_clipped_on_joint_1() -> None:
    judged = step(np.array([3.0, 0, 0, 0, 0, 0, 0]), 0.0, STANDING, LIMITS, PERIOD)
    assert (judged.verdict, judged.reason) == (Verdict.CLIPPED, Reason.JOINT_VELOCITY)
    assert "fr3_joint1 at 3.000 rad/s, limit 1.600 rad/s" in judged.detail
    assert 0 < judged.velocity[0] <= 2.0


def test_full_scale_of_droid_is_above_the_fr3s_own_limit_of_joint_1() -> None:
    """Even where all of the robot's own speed were allowed."""
    limits = limits_of(FR3, velocity=FR3.velocity)
    moving = dataclasses.replace(STANDING, velocity=np.array([2.5, 0, 0, 0, 0, 0, 0]))
    judged = step(np.array([0.2 / PERIOD, 0, 0, 0, 0, 0, 0]), 0.0, moving, limits, PERIOD)
    assert "fr3_joint1 at 3.000 rad/s, limit 2.620 rad/s" in judged.detail
    assert judged.velocity[0] <= 2.62


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_brakes(value: float) -> None:
    moving = dataclasses.replace(STANDING, velocity=np.full(7, 0.6), gripper=0.4)
    requested = np.zeros(7)
    requested[3] = value
    for judged in (step(requested, 0.0, moving, LIMITS, PERIOD), step(np.zeros(7), value, moving, LIMITS, PERIOD)):
        assert (judged.verdict, judged.reason) == (Verdict.REJECTED, Reason.NOT_FINITE)
        np.testing.assert_allclose(judged.velocity, brake(moving.velocity, LIMITS, PERIOD))
        assert judged.gripper == 0.4


@pytest.mark.parametrize(("asked", "given_out"), [(-0.2, 0.0), (0.3, 0.3), (1.7, 1.0)])
def test_the_gripper_stays_in_its_range(asked: float, given_out: float) -> None:
    judged = step(np.zeros(7), asked, STANDING, LIMITS, PERIOD)
    assert judged.gripper == given_out
    assert (judged.reason is Reason.GRIPPER_RANGE) == (asked != given_out)


def test_scaling_keeps_the_direction_of_the_hand() -> None:
    twist = np.array([0.4, 0.15, -0.05, 0.1, 0.0, 0.05])
    motion = dataclasses.replace(STANDING, velocity=0.65 * joint_velocity(RESET_POSITION, twist))
    slow = dataclasses.replace(LIMITS, linear_speed=0.3)
    judged = step(joint_velocity(RESET_POSITION, twist), 0.0, motion, slow, PERIOD)
    assert judged.reason is Reason.CARTESIAN_SPEED
    moved = pose_and_jacobian(RESET_POSITION)[1] @ judged.velocity
    np.testing.assert_allclose(moved / np.linalg.norm(moved), twist / np.linalg.norm(twist), atol=1e-6)


Request = Callable[[np.ndarray], np.ndarray]


def follow(requests: Iterable[Request], limits: Limits, lag: float = 0.0) -> list[Step]:
    """Run the gate on an arm that obeys, its measurement late by the share `lag` of a step; check every step.

    A request gives joint velocities for the joint positions where the arm is.
    """
    reference, measured, velocity = RESET_POSITION, RESET_POSITION, np.zeros(7)
    steps = []
    for request in requests:
        judged = step(request(reference), 0.0, Motion(reference, measured, velocity, 0.0), limits, PERIOD)
        before = tcp_pose(reference)
        change = np.abs(judged.velocity - velocity)
        measured = reference + (1 - lag) * judged.velocity * PERIOD
        reference, velocity = reference + judged.velocity * PERIOD, judged.velocity
        after = tcp_pose(reference)
        turned = np.arccos(np.clip((np.trace(before[:3, :3].T @ after[:3, :3]) - 1) / 2, -1, 1))
        rounding = 1 + 1e-6
        assert np.all(np.isfinite(velocity))
        assert np.all(np.abs(velocity) <= limits.velocity)
        assert np.all(change <= limits.acceleration * PERIOD * rounding)
        assert np.linalg.norm(after[:3, 3] - before[:3, 3]) <= limits.linear_speed * PERIOD * rounding
        assert turned <= limits.angular_speed * PERIOD * rounding + 1e-6
        assert np.all(reference <= limits.position_high + 1e-9)
        assert np.all(reference >= limits.position_low - 1e-9)
        assert np.all(after[:3, 3] <= limits.workspace_high + 1e-9)
        assert np.all(after[:3, 3] >= limits.workspace_low - 1e-9)
        assert fr3_model.lowest(reference) >= limits.table_height - 1e-3, "a millimetre for the meshes' rounding"
        steps.append(judged)
    return steps


def constant(velocity: np.ndarray) -> Request:
    return lambda _: velocity


def toward(twist: np.ndarray) -> Request:
    return lambda position: joint_velocity(position, twist)


numbers = st.floats(-4, 4) | st.floats() | st.just(0.0)
hostile = st.lists(st.tuples(hnp.arrays(np.float64, 7, elements=numbers), st.integers(1, 12)), min_size=1, max_size=6)
small = Limits(workspace_low=np.array([0.25, -0.1, 0.2]), workspace_high=np.array([0.5, 0.1, 0.5]), linear_speed=0.3)


@given(plan=hostile, limits=st.sampled_from([LIMITS, small]), lag=st.floats(0, 1))
@settings(max_examples=150)
def test_no_step_leaves_any_limit(plan: list[tuple[np.ndarray, int]], limits: Limits, lag: float) -> None:
    follow([constant(velocity) for velocity, times in plan for _ in range(times)], limits, lag)


@given(
    twists=st.lists(hnp.arrays(np.float64, 6, elements=st.floats(-1, 1)), min_size=1, max_size=4),
    limits=st.sampled_from([LIMITS, small]),
)
@settings(max_examples=100)
def test_no_cartesian_motion_leaves_any_limit(twists: list[np.ndarray], limits: Limits) -> None:
    follow([toward(twist) for twist in twists for _ in range(10)], limits)


@pytest.mark.parametrize("tilted", [0.0, 0.6])
def test_a_longer_gripper_stays_above_the_table(tilted: float) -> None:
    """A Robotiq's fingers end 66 mm below the Franka hand's."""
    limits = dataclasses.replace(LIMITS, fingertips=FINGERTIPS["robotiq"])
    position, velocity = RESET_POSITION + tilted * np.eye(7)[5], np.zeros(7)
    for _ in range(90):
        motion = Motion(position, position, velocity, 0.0)
        velocity = step(joint_velocity(position, np.array([0, 0, -0.2, 0, 0, 0])), 0.0, motion, limits, PERIOD).velocity
        position = position + velocity * PERIOD
    pose = tcp_pose(position)
    ends = [pose @ [0.0, y, FINGERTIPS["robotiq"], 1.0] for y in (-0.067, 0.067)]
    assert -1e-9 <= min(end[2] for end in ends) < 0.02


def test_pressed_on_the_table_the_hand_still_slides() -> None:
    position, velocity = RESET_POSITION, np.zeros(7)
    heights, reasons = [], set()
    for tick in range(90):
        twist = np.array([0.1 if tick >= 45 else 0.0, 0, -0.2, 0, 0, 0])
        motion = Motion(position, position, velocity, 0.0)
        judged = step(joint_velocity(position, twist), 0.0, motion, LIMITS, PERIOD)
        velocity = judged.velocity
        position = position + velocity * PERIOD
        heights.append(tcp_pose(position)[2, 3])
        reasons.add(judged.reason)
    assert Reason.WORKSPACE in reasons
    assert 0.009 <= min(heights) < 0.013, "the fingertips reach 9 mm beyond the TCP"
    moved = pose_and_jacobian(position)[1] @ velocity
    assert moved[0] > 0.09
    assert abs(moved[2]) < 0.01


def test_a_tilting_hand_does_not_get_into_the_table() -> None:
    reasons = set()
    for turn in ([0.8, 0, 0], [-0.8, 0, 0], [0, 0.8, 0], [0, -0.8, 0]):
        down = [toward(np.array([0, 0, -0.2, 0, 0, 0]))] * 30
        tilt = [toward(np.array([0, 0, -0.1, *turn]))] * 30
        reasons |= {judged.reason for judged in follow(down + tilt, LIMITS)}
    assert Reason.WORKSPACE in reasons


def test_near_its_end_a_joint_is_as_slow_as_the_fr3_wants_it() -> None:
    """The FR3 stops with a reflex above sqrt(gain * distance) - offset, well below what our braking would allow."""
    request = constant(np.array([0, -2.0, 0, 0, 0, 0, 0]))
    limits = limits_of(FR3, workspace_low=np.full(3, -1.2), workspace_high=np.full(3, 1.2), linear_speed=3.0)
    curve = FR3.approach
    assert curve is not None
    slowed = 0
    position = RESET_POSITION.copy()
    for judged in follow([request] * 40, limits):
        position = position + judged.velocity * PERIOD
        allowed = np.sqrt(curve.gain * (position - curve.low)) - curve.offset
        assert np.all(-judged.velocity <= allowed + 1e-9)
        braking = np.sqrt(2 * limits.acceleration[1] * (position[1] - limits.position_low[1]))
        slowed += judged.velocity[1] < 0 and allowed[1] < min(2.0, braking)
    assert slowed > 3
    assert position[1] == pytest.approx(limits.position_low[1], abs=0.02)


def test_a_joint_slows_down_and_rests_before_its_limit() -> None:
    request = constant(np.array([0, 0, 0, 0, 0, 0, 1.5]))
    speeds = [judged.velocity[6] for judged in follow([request] * 60, LIMITS)]
    assert max(speeds) > 1.0
    assert speeds[-1] < 0.01


def test_an_arm_outside_of_the_workspace_can_only_come_back() -> None:
    limits = dataclasses.replace(LIMITS, workspace_high=np.array([0.8, 0.5, 0.3]))
    assert tcp_pose(RESET_POSITION)[2, 3] > 0.3
    up, down = (joint_velocity(RESET_POSITION, np.array([0, 0, way, 0, 0, 0])) for way in (0.1, -0.1))
    risen = pose_and_jacobian(RESET_POSITION)[1] @ step(up, 0.0, STANDING, limits, PERIOD).velocity
    sunk = pose_and_jacobian(RESET_POSITION)[1] @ step(down, 0.0, STANDING, limits, PERIOD).velocity
    assert risen[2] <= 0.002
    assert sunk[2] == pytest.approx(-0.1, abs=0.01)


@given(velocity=hnp.arrays(np.float64, 7, elements=st.floats(-2, 2)))
def test_braking_ends_within_four_steps_without_reversing(velocity: np.ndarray) -> None:
    for _ in range(4):
        slower = brake(velocity, LIMITS, PERIOD)
        assert np.all(np.abs(slower) <= np.abs(velocity))
        assert np.all(slower * velocity >= 0)
        assert np.all(np.abs(slower - velocity) <= LIMITS.acceleration * PERIOD * (1 + 1e-9))
        velocity = slower
    assert not velocity.any()


def test_rows_of_each_space_become_joint_velocities() -> None:
    measured, reference = RESET_POSITION, RESET_POSITION + 0.01
    row = np.array([0.1, 0.2, 0.3, 0.0, 0.0, 0.1, 0.05, 1.0])
    joints = requested_velocity(ActionSpace.JOINT_VELOCITY, row, measured, reference, PERIOD)
    np.testing.assert_array_equal(joints, row[:7])
    target = np.append(reference + 0.02, 1.0)
    toward = requested_velocity(ActionSpace.JOINT_POSITION, target, measured, reference, PERIOD)
    np.testing.assert_allclose(toward * PERIOD, np.full(7, 0.02))
    twist = np.array([0.1, 0, 0, 0, 0, 0.1, 1.0])
    cartesian = requested_velocity(ActionSpace.CARTESIAN_VELOCITY, twist, measured, reference, PERIOD)
    np.testing.assert_allclose(pose_and_jacobian(measured)[1] @ cartesian, twist[:6], atol=1e-9)
