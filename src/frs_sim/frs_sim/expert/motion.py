"""What an expert wants next, and the velocity toward it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import mujoco
import numpy as np

from frs_sim.cell import Truth

TURN = 0.8  # rad/s
GAIN = 4.0  # 1/s, of the proportional approach
NEAR = 0.02  # m, an axis that is so near is not worth a motion of its own


@dataclass(frozen=True)
class Style:
    """How an expert moves; people differ in it, and so do demonstrations.

    Attributes:
        speed: m/s, at most.
        axes: straight to the target where empty; else one axis after another, in this order of 0, 1, 2 for x, y, z,
            as somebody does who steers by keys.
    """

    speed: float = 0.20
    axes: tuple[int, ...] = ()


STRAIGHT = Style()


class Phase(Enum):
    """What the expert is about to do."""

    REACH = "reach"  # to above the object
    DESCEND = "descend"
    GRASP = "grasp"
    LIFT = "lift"
    CARRY = "carry"  # to above the place
    LOWER = "lower"
    RELEASE = "release"
    SLIDE = "slide"  # the drawer
    PUSH = "push"
    RETREAT = "retreat"


@dataclass(frozen=True)
class Plan:
    """Where the expert wants the hand.

    Attributes:
        phase: what it is about to do.
        target: (3,) m, of the TCP in the base frame.
        yaw: rad, of the hand about the base's z axis, 0 as in the reset pose.
        gripper: 0 open or 1 closed.
        goal: (3,) m, where the hand will be when it next closes, opens, or has slid or pushed something.
    """

    phase: Phase
    target: np.ndarray
    yaw: float
    gripper: float
    goal: np.ndarray


def act(wanted: Plan, truth: Truth, style: Style = STRAIGHT) -> np.ndarray:
    """The Cartesian action (7,) toward a plan: linear xyz [m/s], angular xyz [rad/s], gripper; base frame."""
    error = wanted.target - truth.tcp_position
    first = next((axis for axis in style.axes if abs(error[axis]) > NEAR), None)
    if first is not None and wanted.phase in (Phase.REACH, Phase.CARRY) and error[2] < NEAR:  # up always comes first
        error = np.where(np.arange(3) == first, error, 0.0)
    linear = GAIN * error
    linear *= min(1.0, style.speed / max(float(np.linalg.norm(linear)), 1e-9))
    turn = np.empty(3)
    mujoco.mju_subQuat(turn, _down(wanted.yaw), truth.tcp_quaternion)  # in the hand's own frame
    angular = np.empty(3)
    mujoco.mju_rotVecQuat(angular, GAIN * turn, truth.tcp_quaternion)
    angular *= min(1.0, TURN / max(float(np.linalg.norm(angular)), 1e-9))
    return np.concatenate([linear, angular, [wanted.gripper]])


def hand_yaw(truth: Truth) -> float:
    """Yaw of the hand [rad]: 0 in the reset pose, positive counter-clockwise seen from above."""
    x_axis = rotation(truth.tcp_quaternion)[:, 0]
    return float(np.arctan2(x_axis[1], x_axis[0]))


def rotation(quaternion: np.ndarray) -> np.ndarray:
    """(3, 3) rotation matrix of a quaternion (w, x, y, z)."""
    flat = np.empty(9)
    mujoco.mju_quat2Mat(flat, quaternion)
    return flat.reshape(3, 3)


def _down(yaw: float) -> np.ndarray:
    # Fingers down: half a turn about x, then the yaw about the base's z.
    return np.array([0.0, np.cos(yaw / 2), np.sin(yaw / 2), 0.0])
