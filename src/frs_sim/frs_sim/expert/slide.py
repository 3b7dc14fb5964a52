"""The drawer: grasp its knob, pull or push it, let go."""

from __future__ import annotations

import numpy as np

from frs_sim.cell import Truth
from frs_sim.expert.grasp import grasp, grasp_pose
from frs_sim.expert.motion import Phase, Plan
from frs_sim.fixtures import DRAWER_TRAVEL
from frs_sim.goals import Slide, drawer_travel

AHEAD = 0.04  # m that the target is ahead of the knob: the speed of the slide


def slide(goal: Slide, truth: Truth) -> Plan:
    """What to do next for a drawer that is not where it should be yet."""
    if truth.held != goal.object:
        return grasp(goal.object, truth)
    knob, yaw = grasp_pose(goal.object, truth)
    # To the stop, where the joint's own limit ends the motion, not to where it just counts.
    left = (DRAWER_TRAVEL if goal.open else 0.0) - drawer_travel(truth.positions)
    target = np.array([truth.tcp_position[0] - float(np.clip(left, -AHEAD, AHEAD)), knob[1], truth.tcp_position[2]])
    return Plan(Phase.SLIDE, target, yaw, 1.0, np.array([knob[0] - left, *knob[1:]]))
