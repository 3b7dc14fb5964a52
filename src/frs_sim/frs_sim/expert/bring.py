"""Grasp, carry, lower, let go."""

from __future__ import annotations

import numpy as np

from frs_sim.cell import Truth
from frs_sim.expert.approach import ALIGNED
from frs_sim.expert.grasp import grasp
from frs_sim.expert.motion import Phase, Plan, hand_yaw
from frs_sim.goals import Bring, surface
from frs_sim.objects import THINGS

CARRY = 0.20  # m, height of the TCP while a thing is carried
ABOVE = 0.006  # m, from where a thing is let go to where it then rests


def bring(goal: Bring, truth: Truth) -> Plan:
    """What to do next for a goal that is not reached yet."""
    if truth.held != goal.object:
        return grasp(goal.object, truth)
    hand, at, there = truth.tcp_position, truth.positions[goal.object], truth.positions[goal.place]
    yaw = hand_yaw(truth)
    over = (there + hand - at)[:2]  # the thing, not the hand, comes to the middle of the place
    release = surface(goal.place, there) + THINGS[goal.object].rest_height + (hand[2] - at[2]) + ABOVE
    lowered = np.array([*over, release])
    away = float(np.hypot(*(over - hand[:2])))
    if away < min(ALIGNED, 0.4 * THINGS[goal.place].radius):
        if hand[2] < release + 0.005:
            return Plan(Phase.RELEASE, hand.copy(), yaw, 0.0, lowered)
        return Plan(Phase.LOWER, lowered, yaw, 1.0, lowered)
    carry = max(CARRY, release + 0.08)
    if away < 3 * ALIGNED:  # nearly there: correct sideways without going up again
        return Plan(Phase.LOWER, np.array([*over, hand[2]]), yaw, 1.0, lowered)
    if hand[2] < carry - 0.06:
        share = 0.15 if away > 0.05 else 0.0
        return Plan(Phase.LIFT, np.array([*(hand[:2] + share * (over - hand[:2])), carry]), yaw, 1.0, lowered)
    return Plan(Phase.CARRY, np.array([*over, carry]), yaw, 1.0, lowered)
