"""Which goal is next, and what to do for it."""

from __future__ import annotations

import numpy as np

from frs_sim.cell import Truth
from frs_sim.expert.bring import bring
from frs_sim.expert.motion import Phase, Plan, hand_yaw
from frs_sim.expert.push import push
from frs_sim.expert.slide import slide
from frs_sim.goals import Goal, Push, Slide, is_reached
from frs_sim.tasks import Task

OPENED = 0.15  # of the gripper, 0 open: from there on the hand may leave
CLEAR = 0.16  # m above the table: lower than that, the hand goes straight up when all is done
HOME = np.array([0.37, 0.0, 0.38])  # m, of the TCP at the start


def plan(task: Task, truth: Truth) -> Plan:
    """What to do next, from the true state alone."""
    goal = next_goal(task, truth)
    hand = truth.tcp_position
    wanted = _toward(goal, truth)
    wrong = truth.held and (goal is None or truth.held != goal.object)
    if wrong or (wanted.gripper == 0.0 and truth.gripper > OPENED):
        # Fingers that are still close to a thing would take it along.
        return Plan(Phase.RELEASE, hand.copy(), hand_yaw(truth), 0.0, hand.copy())
    return wanted


def next_goal(task: Task, truth: Truth) -> Goal | None:
    """The first goal that is not over yet; None where all are."""
    return next((goal for goal in task.goals if not _is_over(goal, truth)), None)


def _toward(goal: Goal | None, truth: Truth) -> Plan:
    if goal is None:
        # Home, where episodes begin: a policy that believes to be done and is not begins again from there.
        hand = truth.tcp_position
        target = HOME if hand[2] > CLEAR else np.array([*hand[:2], CLEAR + 0.06])
        return Plan(Phase.RETREAT, target, 0.0, 0.0, HOME)
    if isinstance(goal, Slide):
        return slide(goal, truth)
    return push(goal, truth) if isinstance(goal, Push) else bring(goal, truth)


def _is_over(goal: Goal, truth: Truth) -> bool:
    # A thing that is still held is not there yet, however near; but a drawer is.
    return is_reached(goal, truth.positions) and (isinstance(goal, Slide) or truth.held != goal.object)
