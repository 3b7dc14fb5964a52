"""The arm's kinematics against MuJoCo: its FR3 model, and the Panda put together from franka_description."""

import functools

import fr3_model
import hypothesis.extra.numpy as hnp
import mujoco
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from frs_steering.arm.robots import FR3, PANDA
from frs_steering.robot import kinematics
from frs_steering.robot.fr3 import RESET_POSITION

positions = hnp.arrays(np.float64, 7, elements=st.floats(0, 1)).map(
    lambda part: FR3.position_low + part * (FR3.position_high - FR3.position_low)
)
twists = hnp.arrays(np.float64, 6, elements=st.floats(-1, 1))


@given(position=positions)
@settings(max_examples=200)
def test_pose_and_jacobian_agree_with_mujoco(position: np.ndarray) -> None:
    compiled, data = fr3_model.at(position)
    site = compiled.site("tcp").id
    linear, angular = np.zeros((2, 3, compiled.nv))
    mujoco.mj_jacSite(compiled, data, linear, angular, site)

    pose, jacobian = kinematics.pose_and_jacobian(position)

    np.testing.assert_allclose(pose[:3, 3], data.site_xpos[site], atol=1e-6)
    np.testing.assert_allclose(pose[:3, :3], data.site_xmat[site].reshape(3, 3), atol=1e-6)
    np.testing.assert_allclose(jacobian[:3], linear[:, :7], atol=1e-6)
    np.testing.assert_allclose(jacobian[3:], angular[:, :7], atol=1e-6)
    np.testing.assert_allclose(kinematics.tcp_pose(position), pose, atol=1e-12)
    for ours, name in zip(
        kinematics.wrist_and_tcp_poses(position), ("fr3_link5", "fr3_link6", "fr3_link7"), strict=False
    ):
        body = compiled.body(name).id
        np.testing.assert_allclose(ours[:3, 3], data.xpos[body], atol=1e-6)
        np.testing.assert_allclose(ours[:3, :3], data.xmat[body].reshape(3, 3), atol=1e-6)


FER_ORIGINS = (
    ((0, 0, 0.333), 0.0),
    ((0, 0, 0), -np.pi / 2),
    ((0, -0.316, 0), np.pi / 2),
    ((0.0825, 0, 0), np.pi / 2),
    ((-0.0825, 0.384, 0), -np.pi / 2),
    ((0, 0, 0), np.pi / 2),
    ((0.088, 0, 0), np.pi / 2),
)
"""xyz [m] and roll [rad] of each joint of the Panda; franka_description, robots/fer/kinematics.yaml."""


@functools.cache
def panda() -> mujoco.MjModel:
    """The Panda's joints, flange, hand and TCP, put together by MuJoCo from franka_description's numbers."""
    spec = mujoco.MjSpec()
    body = spec.worldbody
    for origin, roll in FER_ORIGINS:
        body = body.add_body(pos=origin, quat=[np.cos(roll / 2), np.sin(roll / 2), 0, 0], mass=1, inertia=[1, 1, 1])
        body.add_joint(axis=[0, 0, 1])
    hand = body.add_body(pos=[0, 0, 0.107], quat=[np.cos(np.pi / 8), 0, 0, -np.sin(np.pi / 8)])
    hand.add_site(name="tcp", pos=[0, 0, 0.1034])
    return spec.compile()


@given(part=hnp.arrays(np.float64, 7, elements=st.floats(0, 1)))
@settings(max_examples=200)
def test_the_panda_has_the_same_geometry(part: np.ndarray) -> None:
    position = PANDA.position_low + part * (PANDA.position_high - PANDA.position_low)
    model = panda()
    data = mujoco.MjData(model)
    data.qpos[:] = position
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    linear, angular = np.zeros((2, 3, model.nv))
    mujoco.mj_jacSite(model, data, linear, angular, 0)
    pose, jacobian = kinematics.pose_and_jacobian(position)
    np.testing.assert_allclose(pose[:3, 3], data.site_xpos[0], atol=1e-6)
    np.testing.assert_allclose(pose[:3, :3], data.site_xmat[0].reshape(3, 3), atol=1e-6)
    np.testing.assert_allclose(jacobian, np.vstack([linear, angular]), atol=1e-6)


def test_poses_of_a_batch_are_those_of_its_members() -> None:
    batch = np.random.default_rng(0).uniform(FR3.position_low, FR3.position_high, (2, 3, 7))
    poses = kinematics.tcp_pose(batch)
    assert poses.shape == (2, 3, 4, 4)
    np.testing.assert_allclose(poses[1, 2], kinematics.tcp_pose(batch[1, 2]), atol=1e-15)


@given(twist=twists)
def test_twist_is_met_exactly_away_from_singularities(twist: np.ndarray) -> None:
    _, jacobian = kinematics.pose_and_jacobian(RESET_POSITION)
    velocity = kinematics.joint_velocity(RESET_POSITION, twist)
    np.testing.assert_allclose(jacobian @ velocity, twist, atol=1e-9)


@given(position=positions, twist=twists)
def test_joint_velocity_stays_finite_and_bounded_everywhere(position: np.ndarray, twist: np.ndarray) -> None:
    velocity = kinematics.joint_velocity(position, twist)
    assert np.all(np.isfinite(velocity))
    assert np.linalg.norm(velocity) <= 100 * np.linalg.norm(twist) + 1e-9


@given(position=positions)
def test_zero_twist_moves_no_joint(position: np.ndarray) -> None:
    np.testing.assert_array_equal(kinematics.joint_velocity(position, np.zeros(6)), np.zeros(7))


def test_null_space_draws_to_the_posture_without_moving_the_tcp() -> None:
    position = RESET_POSITION + np.array([0.2, 0.1, -0.3, 0.1, 0.2, -0.1, 0.2])
    twist = np.array([0.1, 0, 0, 0, 0, 0])
    with_posture = kinematics.joint_velocity(position, twist)
    without = kinematics.joint_velocity(position, twist, posture=position)
    _, jacobian = kinematics.pose_and_jacobian(position)
    np.testing.assert_allclose(jacobian @ (with_posture - without), np.zeros(6), atol=1e-9)
    assert (with_posture - without) @ (RESET_POSITION - position) > 0


@given(position=positions)
def test_quaternion_is_the_rotations(position: np.ndarray) -> None:
    rotation = kinematics.tcp_pose(position)[:3, :3]
    x, y, z, w = kinematics.quaternion(rotation)
    back = np.empty(9)
    mujoco.mju_quat2Mat(back, np.array([w, x, y, z]))
    np.testing.assert_allclose(back.reshape(3, 3), rotation, atol=1e-9)
    assert w >= 0


@given(
    offset=hnp.arrays(np.float64, 7, elements=st.floats(-0.25, 0.25)),
    velocity=hnp.arrays(np.float64, 3, elements=st.floats(-0.3, 0.3)).filter(lambda v: np.linalg.norm(v) > 0.05),
)
@settings(max_examples=50)
def test_a_straight_motion_stays_on_its_line_and_within_its_speeds(offset: np.ndarray, velocity: np.ndarray) -> None:
    start = RESET_POSITION + offset
    most = np.full(7, 0.6)
    rows = kinematics.straight_motion(start, velocity, 16, 1 / 15, most)
    assert (np.abs(rows) <= most + 1e-9).all()
    moved = kinematics.tcp_pose(start + np.cumsum(rows, 0) / 15)[:, :3, 3] - kinematics.tcp_pose(start)[:3, 3]
    direction = velocity / np.linalg.norm(velocity)
    assert np.abs(moved - np.outer(moved @ direction, direction)).max() < 0.004  # m
    assert (np.diff(moved @ direction) > 0).all()
