"""The scripted reasoner: what a person who watches would say, and no more than that.

It sees the true state, but answers with one of the six cardinal directions and how much of it, as one deflects a
joystick, or "let the policy act". How its constants were found: docs/decisions.md.
"""

from __future__ import annotations

import numpy as np

from frs_sim.cell import Truth
from frs_sim.expert import Phase, next_goal, plan
from frs_sim.goals import Slide
from frs_sim.tasks import Task
from frs_steering.steer.guidance import Guidance, GuidanceSource

NEAR = 0.02  # m sideways from above the goal, by axis: closer than that, the policy's own eyes do better
LOW = 0.02  # m above the goal: the last stretch down to a grasp or a release is the policy's
CLEAR = 0.06  # m that a carried thing needs above the goal before it goes sideways
ROUGHLY = 0.035  # m sideways, by axis: a carried thing that is low already and so near is not taken up again
STRIDE = 0.25 * 8 / 15  # m that a full command moves the hand until the next decision (0.25 m/s, 8 rows of 1/15 s)
LEAST = 0.45  # of a full command, sideways: less is so gentle that the policy goes where it would have gone anyway
FAR, LESS = 0.08, 0.7  # m, and of a full command: how a height is approached that is not farther away than that
AUTHOR = "oracle"

_DEFER = Guidance(GuidanceSource.SCRIPTED, AUTHOR, defer=True, validity=0.5)


def oracle(task: Task, truth: Truth) -> Guidance:
    """Sideways to above the goal, then down; "let the policy act" where it is near, and after it is done."""
    wanted = plan(task, truth)
    error = wanted.goal - truth.tcp_position
    axis = int(np.argmax(np.abs(error[:2])))
    away, height = abs(float(error[axis])), -float(error[2])
    if wanted.phase is Phase.GRASP and isinstance(goal := next_goal(task, truth), Slide):
        # With its fingers around a knob the policy can't know whether it is to pull or to push.
        return _say(0, -1.0 if goal.open else 1.0, FAR)
    if wanted.phase in (Phase.GRASP, Phase.RELEASE, Phase.RETREAT):
        return _DEFER
    if wanted.phase in (Phase.SLIDE, Phase.PUSH):
        return _say(axis, float(np.sign(error[axis])), away) if away > LOW else _DEFER
    low_enough = truth.held and height < CLEAR and away <= ROUGHLY
    if away <= NEAR or low_enough:
        return _DEFER if height <= LOW else _say(2, -1.0, height)
    if height < (CLEAR if truth.held else LOW):
        return _say(2, 1.0, FAR)
    return _say(axis, float(np.sign(error[axis])), away)


def _say(axis: int, sign: float, distance: float) -> Guidance:
    direction = [0.0, 0.0, 0.0]
    direction[axis] = sign
    x, y, z = direction
    if axis == 2:
        amount = 1.0 if distance > FAR else LESS
    else:
        amount = float(np.clip(distance / STRIDE, LEAST, 1.0))
    return Guidance(GuidanceSource.SCRIPTED, AUTHOR, direction=(x, y, z), amount=amount, validity=0.5)
