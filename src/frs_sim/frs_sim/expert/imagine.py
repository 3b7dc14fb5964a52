"""The chunk that an expert would drive if nothing disturbed it: the label of a demonstration's frame."""

from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np

from frs_sim.cell import Truth
from frs_sim.expert.motion import STRAIGHT, Phase, Plan, Style, act
from frs_sim.expert.plan import plan
from frs_sim.expert.push import TOUCH
from frs_sim.fixtures import DRAWER_TRAVEL
from frs_sim.goals import surface
from frs_sim.objects import THINGS
from frs_sim.tasks import Task

GRIP_TIME = 0.06  # s, from the wish to close or open until it is done


def imagine(task: Task, truth: Truth, rows: int, period: float, style: Style = STRAIGHT) -> np.ndarray:
    """The actions (rows, 7) of the next control steps if nothing disturbs them: what a chunk should be.

    The plan is followed in thought: the hand moves as told, a grasp takes GRIP_TIME, a held thing moves along, a
    thing let go lies at its place. So the label of a frame depends on that frame alone, not on disturbances that
    come after it and that nobody could know.
    """
    actions = np.empty((rows, 7))
    closing = 0.0
    for row in actions:
        wanted = plan(task, truth)
        row[:] = act(wanted, truth, style)
        closing = closing + period if wanted.phase is Phase.GRASP else 0.0
        truth = _after(task, truth, wanted, row, period, grasped=closing >= GRIP_TIME)
    return actions


def _after(task: Task, truth: Truth, wanted: Plan, action: np.ndarray, period: float, *, grasped: bool) -> Truth:
    moved = action[:3] * period
    positions, held = dict(truth.positions), truth.held
    if grasped:
        held = min(
            (goal.object for goal in task.goals),
            key=lambda name: float(np.linalg.norm(positions[name] - truth.tcp_position)),
        )
    elif wanted.phase is Phase.RELEASE:
        held = ""
        for goal in task.goals:
            if goal.object == truth.held and goal.place in positions and THINGS[goal.object].loose:
                place = positions[goal.place]
                rest = surface(goal.place, place) + THINGS[goal.object].rest_height
                positions[goal.object] = np.array([*place[:2], rest])
    elif wanted.phase is Phase.PUSH:
        goal = task.goals[-1]
        box = positions[goal.object]
        positions[goal.object] = np.array([max(box[0], truth.tcp_position[0] + moved[0] + TOUCH), *box[1:]])
    elif held == "drawer":
        closed = positions["cabinet"][0]
        x = float(np.clip(positions["drawer"][0] + moved[0], closed - DRAWER_TRAVEL, closed))
        positions["drawer"] = np.array([x, *positions["drawer"][1:]])
    elif held:
        positions[held] = positions[held] + moved
    angle = float(np.linalg.norm(action[3:6]))
    turn, quaternion = np.empty(4), np.empty(4)
    mujoco.mju_axisAngle2Quat(turn, action[3:6] / max(angle, 1e-9), angle * period)
    mujoco.mju_mulQuat(quaternion, turn, truth.tcp_quaternion)
    return replace(
        truth, positions=positions, held=held, tcp_position=truth.tcp_position + moved, tcp_quaternion=quaternion,
        gripper=float(action[6]),
    )  # fmt: skip
