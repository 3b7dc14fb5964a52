"""Pushing a box away from the robot with closed fingers."""

from __future__ import annotations

import numpy as np

from frs_sim.cell import Truth
from frs_sim.expert.approach import approach
from frs_sim.expert.motion import Phase, Plan
from frs_sim.goals import Push

BEHIND = 0.065  # m, from the box's middle to the hand that comes down behind it
TOUCH = 0.041  # m, from the hand's middle to the box's when they touch
HEIGHT = 0.022  # m, of the TCP while it pushes
AHEAD = 0.05  # m that the target is ahead of the hand


def push(goal: Push, truth: Truth) -> Plan:
    """What to do next for a box that is not at its place yet."""
    hand, box, there = truth.tcp_position, truth.positions[goal.object], truth.positions[goal.place]
    end = np.array([there[0] - BEHIND + 0.02, there[1], HEIGHT])
    behind, beside = float(box[0] - hand[0]), float(abs(box[1] - hand[1]))
    if hand[2] < HEIGHT + 0.015 and 0.03 < behind < BEHIND + 0.02 and beside < 0.03:
        # Aside of the middle the push turns the box; so follow its middle, and lean a little toward the place.
        aim = box[1] + 0.25 * (box[1] - there[1])
        return Plan(Phase.PUSH, np.array([hand[0] + AHEAD, aim, HEIGHT]), 0.0, 1.0, end)
    start = np.array([box[0] - BEHIND - 0.01, box[1], HEIGHT])
    wanted = approach(truth, start, 0.0, 1.0)
    return wanted or Plan(Phase.PUSH, np.array([hand[0] + AHEAD, box[1], HEIGHT]), 0.0, 1.0, end)
