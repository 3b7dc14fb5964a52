"""Scripted experts: from the true state to the next Cartesian action. Memoryless, so they recover by themselves.

The oracle reasoner uses the same plan, reduced to what a person at a keyboard could say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import mujoco
import numpy as np

from frs_sim.cell import Truth
from frs_sim.objects import THINGS, Thing
from frs_sim.tasks import Task, is_done

HOVER = 0.10  # m, height above the grasp point at which the hand is aligned before it goes down
CARRY = 0.20  # m, height of the TCP while an object is carried
SPEED = 0.20  # m/s
TURN = 0.8  # rad/s
GAIN = 4.0  # 1/s, of the proportional approach
ALIGNED = 0.012  # m
GRIP_TIME = 0.2  # s, from the wish to close until the thing is held
LOWEST = 0.013  # m, the fingertips reach 9 mm below the TCP


class Phase(Enum):
    """What the expert is about to do."""

    REACH = "reach"  # to above the object
    DESCEND = "descend"
    GRASP = "grasp"
    LIFT = "lift"
    CARRY = "carry"  # to above the place
    LOWER = "lower"
    RELEASE = "release"
    RETREAT = "retreat"


@dataclass(frozen=True)
class Plan:
    """Where the expert wants the hand.

    Attributes:
        phase: what it is about to do.
        target: (3,) m, of the TCP in the base frame.
        yaw: rad, of the hand about the base's z axis, 0 as in the reset pose.
        gripper: 0 open or 1 closed.
        goal: (3,) m, where the hand will be when it next closes or opens.
    """

    phase: Phase
    target: np.ndarray
    yaw: float
    gripper: float
    goal: np.ndarray


def plan(task: Task, truth: Truth) -> Plan:
    """What to do next, from the true state alone."""
    thing, place = THINGS[task.object], THINGS[task.place]
    at, there = truth.positions[task.object], truth.positions[task.place]
    flat = np.empty(9)
    mujoco.mju_quat2Mat(flat, truth.quaternions[task.object])
    rotation = flat.reshape(3, 3)
    # A thing that tipped over is grasped at its centre, with the hand as it is.
    upright = abs(rotation[2, 2]) > 0.9
    grasp = at + (rotation @ thing.grasp if upright else 0.0)
    grasp[2] = max(grasp[2], LOWEST)
    yaw_now = tcp_yaw(truth)
    yaw = _nearest_turn(float(np.arctan2(rotation[1, 0], rotation[0, 0])), thing, yaw_now) if upright else yaw_now
    hand = truth.tcp_position

    if truth.held == task.object:
        return _bring(task, truth, goal=there + (hand - at) * [1.0, 1.0, 0.0], bottom=hand[2] - at[2])
    if is_done(task, at, there):
        away_up = np.array([hand[0], hand[1], there[2] + place.top + 0.22])
        return Plan(Phase.RETREAT, away_up, yaw_now, 0.0, away_up)
    away = float(np.hypot(*(grasp - hand)[:2]))
    turned = abs(yaw - yaw_now) < 0.12
    low = hand[2] < grasp[2] + HOVER - 0.03
    if away < ALIGNED and turned:
        if hand[2] - grasp[2] < 0.005:
            return Plan(Phase.GRASP, grasp, yaw, 1.0, grasp)
        return Plan(Phase.DESCEND, grasp, yaw, 0.0, grasp)
    if low and away < 3 * ALIGNED:  # nearly there: correct sideways without going up again
        return Plan(Phase.DESCEND, np.array([grasp[0], grasp[1], hand[2]]), yaw, 0.0, grasp)
    if low:  # beside the object: go up before going sideways
        above = np.array([*(hand[:2] + 0.3 * (grasp - hand)[:2]), grasp[2] + HOVER + 0.03])
        return Plan(Phase.REACH, above, yaw, 0.0, grasp)
    return Plan(Phase.REACH, np.array([grasp[0], grasp[1], grasp[2] + HOVER]), yaw, 0.0, grasp)


def _bring(task: Task, truth: Truth, goal: np.ndarray, bottom: float) -> Plan:
    # goal: where the hand must be horizontally; bottom: height of the hand above the object's origin.
    hand, thing, place = truth.tcp_position, THINGS[task.object], THINGS[task.place]
    yaw = tcp_yaw(truth)
    surface = truth.positions[task.place][2] - place.rest_height + place.top
    release = surface + thing.rest_height + bottom + 0.012
    lowered = np.array([goal[0], goal[1], release])
    away = float(np.hypot(*(goal - hand)[:2]))
    if away < ALIGNED:
        if hand[2] < release + 0.008:
            return Plan(Phase.RELEASE, hand.copy(), yaw, 0.0, lowered)
        return Plan(Phase.LOWER, lowered, yaw, 1.0, lowered)
    carry = max(CARRY, release + 0.08)
    if away < 3 * ALIGNED:  # nearly there: correct sideways without going up again
        return Plan(Phase.LOWER, np.array([goal[0], goal[1], hand[2]]), yaw, 1.0, lowered)
    if hand[2] < carry - 0.06:
        share = 0.15 if away > 0.05 else 0.0
        return Plan(Phase.LIFT, np.array([*(hand[:2] + share * (goal - hand)[:2]), carry]), yaw, 1.0, lowered)
    return Plan(Phase.CARRY, np.array([goal[0], goal[1], carry]), yaw, 1.0, lowered)


def act(wanted: Plan, truth: Truth) -> np.ndarray:
    """The Cartesian action (7,) toward a plan: linear xyz [m/s], angular xyz [rad/s], gripper; base frame."""
    linear = GAIN * (wanted.target - truth.tcp_position)
    linear *= min(1.0, SPEED / max(float(np.linalg.norm(linear)), 1e-9))
    goal = _down(wanted.yaw)
    turn = np.empty(3)
    mujoco.mju_subQuat(turn, goal, truth.tcp_quaternion)  # in the hand's own frame
    world = np.empty(3)
    mujoco.mju_rotVecQuat(world, turn, truth.tcp_quaternion)
    angular = GAIN * world
    angular *= min(1.0, TURN / max(float(np.linalg.norm(angular)), 1e-9))
    return np.concatenate([linear, angular, [wanted.gripper]])


def imagine(task: Task, truth: Truth, rows: int, period: float) -> np.ndarray:
    """The actions (rows, 7) of the next control steps if nothing disturbs them: what a chunk should be.

    The plan is followed in thought: the hand moves as told, a grasp takes GRIP_TIME, a held thing moves along, a
    thing let go lies at its place. So the label of a frame depends on that frame alone, not on disturbances that
    come after it and that nobody could know.
    """
    actions = np.empty((rows, 7))
    closing = 0.0
    for row in actions:
        wanted = plan(task, truth)
        row[:] = act(wanted, truth)
        positions = dict(truth.positions)
        held = truth.held
        if wanted.phase is Phase.GRASP:
            closing += period
            held = task.object if closing >= GRIP_TIME else ""
        elif wanted.phase is Phase.RELEASE:
            held = ""
            place = positions[task.place]
            surface = place[2] - THINGS[task.place].rest_height + THINGS[task.place].top
            positions[task.object] = np.array([*place[:2], surface + THINGS[task.object].rest_height])
        elif held == task.object:
            positions[task.object] = positions[task.object] + row[:3] * period
        turn = np.empty(4)
        angle = float(np.linalg.norm(row[3:6]))
        mujoco.mju_axisAngle2Quat(turn, row[3:6] / max(angle, 1e-9), angle * period)
        quaternion = np.empty(4)
        mujoco.mju_mulQuat(quaternion, turn, truth.tcp_quaternion)
        truth = replace(
            truth, positions=positions, held=held, tcp_position=truth.tcp_position + row[:3] * period,
            tcp_quaternion=quaternion,
        )  # fmt: skip
    return actions


def tcp_yaw(truth: Truth) -> float:
    """Yaw of the hand [rad]: 0 in the reset pose, positive counter-clockwise seen from above."""
    rotation = np.empty(9)
    mujoco.mju_quat2Mat(rotation, truth.tcp_quaternion)
    x_axis = rotation.reshape(3, 3)[:, 0]
    return float(np.arctan2(x_axis[1], x_axis[0]))


def _down(yaw: float) -> np.ndarray:
    # Fingers down: half a turn about x, then the yaw about the base's z.
    return np.array([0.0, np.cos(yaw / 2), np.sin(yaw / 2), 0.0])


def _nearest_turn(object_yaw: float, thing: Thing, yaw_now: float) -> float:
    if not thing.grasp_yaw:
        return float(np.clip(yaw_now, -0.3, 0.3))
    symmetric = thing.grasp == (0.0, 0.0, 0.0) or thing.grasp[:2] == (0.0, 0.0)
    period = np.pi if symmetric else 2 * np.pi
    turned = object_yaw - period * np.round((object_yaw - yaw_now) / period)
    return float(turned)
