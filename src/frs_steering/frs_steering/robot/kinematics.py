"""Kinematics of the FR3: forward, Jacobian, and damped least squares. Pure numpy.

The tool centre point (TCP) is `fr3_hand_tcp`, poses are in `fr3_link0`, lengths in m, angles in rad.

Source of the geometry: Denavit-Hartenberg parameters in Craig's (modified) convention from the Franka Control
Interface documentation, "Denavit-Hartenberg parameters" (the same for FR3 and Panda); flange 0.107 m beyond joint 7,
hand turned by -45 degrees about the flange's z, TCP 0.1034 m beyond the hand frame (franka_description).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frs_steering.robot.fr3 import RESET_POSITION

Array = NDArray[np.float64]

# One row per joint: a [m], d [m], alpha [rad]. theta is the joint's position.
_DH = (
    (0.0, 0.333, 0.0),
    (0.0, 0.0, -np.pi / 2),
    (0.0, 0.316, np.pi / 2),
    (0.0825, 0.0, np.pi / 2),
    (-0.0825, 0.384, -np.pi / 2),
    (0.0, 0.0, np.pi / 2),
    (0.088, 0.0, np.pi / 2),
)
FLANGE_OFFSET = 0.107
HAND_ANGLE = -np.pi / 4
TCP_OFFSET = 0.1034

DAMPING = 0.1
"""Largest damping factor of the inversion, reached at a singularity."""
MANIPULABILITY = 0.02
"""Damping sets in where sqrt(det(J J^T)) falls below this; it is 0.069 at DROID's reset pose."""
POSTURE_GAIN = 0.5
"""How fast the null space is drawn to the posture [1/s]."""
POSTURE_SHARE = 0.5
"""The null-space motion is at most this share of the motion asked for, so that a zero twist moves no joint."""


def _link_terms() -> Array:
    # Each link's transform is Rx(alpha) Tx(a) Rz(theta) Tz(d), that is, constant + cos(theta) * C + sin(theta) * S.
    terms = np.zeros((7, 3, 4, 4))
    for (constant, cosine, sine), (a, d, alpha) in zip(terms, _DH, strict=True):
        ca, sa = round(float(np.cos(alpha)), 15), round(float(np.sin(alpha)), 15)
        constant[:] = np.array([[0, 0, 0, a], [0, 0, -sa, -sa * d], [0, 0, ca, ca * d], [0, 0, 0, 1]])
        cosine[:3, :2] = np.array([[1, 0], [0, ca], [0, sa]])
        sine[:3, :2] = np.array([[0, -1], [ca, 0], [sa, 0]])
    return terms.reshape(7, 3, 16)


def _tool() -> Array:
    tool = np.eye(4)
    c, s = np.cos(HAND_ANGLE), np.sin(HAND_ANGLE)
    tool[:2, :2] = [[c, -s], [s, c]]
    tool[2, 3] = FLANGE_OFFSET + TCP_OFFSET
    return tool


_TERMS = _link_terms()
_TOOL = _tool()


def tcp_pose(position: Array) -> Array:
    """Pose of the TCP in the base frame.

    Args:
        position: joint positions (..., 7) [rad]; any number of leading dimensions.

    Returns:
        Homogeneous transforms (..., 4, 4).
    """
    return wrist_and_tcp_poses(position)[3]


def wrist_and_tcp_poses(position: Array) -> Array:
    """Poses of `fr3_link5`, `fr3_link6`, `fr3_link7` and the TCP in the base frame.

    Args:
        position: joint positions (..., 7) [rad]; any number of leading dimensions.

    Returns:
        Homogeneous transforms (4, ..., 4, 4) in that order.
    """
    links = _links(position)
    poses = np.empty((4, links.shape[1], 4, 4))
    pairs = links[0:4:2] @ links[1:4:2]  # two products at once
    np.matmul(pairs[0] @ pairs[1], links[4], out=poses[0])
    np.matmul(poses[0], links[5], out=poses[1])
    np.matmul(poses[1], links[6], out=poses[2])
    np.matmul(poses[2], _TOOL, out=poses[3])
    return poses.reshape(4, *position.shape[:-1], 4, 4)


def pose_and_jacobian(position: Array) -> tuple[Array, Array]:
    """Pose (4, 4) of the TCP and its geometric Jacobian (6, 7) at joint positions (7,) [rad].

    Rows 0..2 of the Jacobian are linear [m/rad], rows 3..5 angular [rad/rad], both in the base frame.
    """
    links = _links(position)[:, 0]
    frames = np.empty((7, 4, 4))
    frames[0] = links[0]
    for i in range(1, 7):
        np.dot(frames[i - 1], links[i], out=frames[i])
    pose = frames[6] @ _TOOL
    # z of a modified DH frame is the axis of its joint, and its origin lies on that axis.
    zx, zy, zz = axes = frames[:, :3, 2].T
    rx, ry, rz = pose[:3, 3:] - frames[:, :3, 3].T
    jacobian = np.empty((6, 7))
    jacobian[0] = zy * rz - zz * ry
    jacobian[1] = zz * rx - zx * rz
    jacobian[2] = zx * ry - zy * rx
    jacobian[3:] = axes
    return pose, jacobian


def inverse(jacobian: Array) -> Array:
    """Damped inverse (7, 6) of a Jacobian (6, 7); exact away from singularities.

    The damping grows as the manipulability falls below MANIPULABILITY (Nakamura and Hanafusa, 1986), so joint
    velocities stay bounded where the arm is stretched or its axes line up.
    """
    gram = jacobian @ jacobian.T
    manipulability = np.sqrt(max(0.0, float(np.linalg.det(gram))))
    if manipulability < MANIPULABILITY:
        gram[np.diag_indices(6)] += (DAMPING * (1.0 - manipulability / MANIPULABILITY)) ** 2
    return np.linalg.solve(gram, jacobian).astype(np.float64, copy=False).T


def joint_velocity(position: Array, twist: Array, posture: Array = RESET_POSITION) -> Array:
    """Joint velocities (7,) [rad/s] that move the TCP with a twist.

    Damped least squares; what the task leaves free draws the arm to `posture`.

    Args:
        position: joint positions (7,) [rad].
        twist: linear xyz [m/s] and angular xyz [rad/s] of the TCP (6,), in the base frame.
        posture: joint positions (7,) [rad] that the null space is drawn to.
    """
    _, jacobian = pose_and_jacobian(position)
    inverted = inverse(jacobian)
    task = inverted @ twist
    drawn = POSTURE_GAIN * (posture - position)
    free = drawn - inverted @ (jacobian @ drawn)
    size = float(np.sqrt(free @ free))
    if size > 0.0:
        free *= min(1.0, POSTURE_SHARE * float(np.sqrt(task @ task)) / size)
    return task + free


def straight_motion(position: Array, velocity: Array, rows: int, period: float, most: Array) -> Array:
    """Joint velocities that move the TCP along a straight line and do not turn it.

    Each row aims at the next point of the line from where the rows before it lead, so that neither the curvature
    within a row nor the damping at a singularity adds up.

    Args:
        position: joint positions (7,) [rad] to start from.
        velocity: linear xyz (3,) [m/s] of the TCP in the base frame, not zero.
        rows: how many.
        period: of a row [s].
        most: (7,) [rad/s]; where a joint would be faster, the whole row is slowed down.

    Returns:
        (rows, 7) [rad/s].
    """
    start, joints = tcp_pose(position), np.array(position, np.float64)
    speed = float(np.sqrt(velocity @ velocity))
    along = velocity / speed
    out = np.empty((rows, 7))
    for row in out:
        pose = tcp_pose(joints)
        progress = float(along @ (pose[:3, 3] - start[:3, 3])) + speed * period
        linear = start[:3, 3] + progress * along - pose[:3, 3]
        turned = start[:3, :3] @ pose[:3, :3].T
        skew = turned - turned.T  # turned is nearly the identity: this is twice its rotation vector
        angular = 0.5 * np.array([skew[2, 1], skew[0, 2], skew[1, 0]])
        asked = joint_velocity(joints, np.concatenate([linear, angular]) / period)
        row[:] = asked / max(1.0, float((np.abs(asked) / most).max()))
        joints += row * period
    return out


def quaternion(rotation: Array) -> tuple[float, float, float, float]:
    """Unit quaternion (x, y, z, w) of a rotation matrix (3, 3); w is not negative."""
    # Each component's size from the diagonal, its sign from the differences; the largest is exact enough to divide by.
    sizes = np.array([1, 1, 1, 1]) + np.array([[1, -1, -1], [-1, 1, -1], [-1, -1, 1], [1, 1, 1]]) @ np.diag(rotation)
    (_, xy, xz), (yx, _, yz), (zx, zy, _) = rotation
    row = (
        np.array([sizes[0], xy + yx, xz + zx, zy - yz]),
        np.array([xy + yx, sizes[1], yz + zy, xz - zx]),
        np.array([xz + zx, yz + zy, sizes[2], yx - xy]),
        np.array([zy - yz, xz - zx, yx - xy, sizes[3]]),
    )[int(np.argmax(sizes))]
    x, y, z, w = row / np.linalg.norm(row) * (1.0 if row[3] >= 0 else -1.0)
    return float(x), float(y), float(z), float(w)


def _links(position: Array) -> Array:
    # Transforms (7, N, 4, 4) of the links for joint positions (..., 7), N in all; joints first, for one matrix product.
    angles = position.reshape(-1, 7).T
    factors = np.empty((7, angles.shape[1], 3))
    factors[..., 0] = 1.0
    np.cos(angles, out=factors[..., 1])
    np.sin(angles, out=factors[..., 2])
    return (factors @ _TERMS).reshape(7, -1, 4, 4)
