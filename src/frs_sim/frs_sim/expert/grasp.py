"""Grasping a thing from above."""

from __future__ import annotations

import numpy as np

from frs_sim.cell import Truth
from frs_sim.expert.approach import approach
from frs_sim.expert.motion import Phase, Plan, hand_yaw, rotation
from frs_sim.objects import THINGS
from frs_sim.things import Thing

LOWEST = 0.013  # m, the fingertips reach 9 mm below the TCP


def grasp(name: str, truth: Truth) -> Plan:
    """The plan to get a thing between the fingers."""
    point, yaw = grasp_pose(name, truth)
    return approach(truth, point, yaw, 0.0) or Plan(Phase.GRASP, point, yaw, 1.0, point)


def grasp_pose(name: str, truth: Truth) -> tuple[np.ndarray, float]:
    """Where the fingers close: (3,) m in the base frame, and the hand's yaw [rad]."""
    thing, turned = THINGS[name], rotation(truth.quaternions[name])
    yaw = hand_yaw(truth)
    # A thing that tipped over is grasped at its centre, with the hand as it is.
    upright = abs(turned[2, 2]) > 0.9
    point = truth.positions[name] + (turned @ np.array(thing.grasp) if upright else 0.0)
    point[2] = max(point[2], LOWEST)
    return point, _nearest_turn(float(np.arctan2(turned[1, 0], turned[0, 0])), thing, yaw) if upright else yaw


def _nearest_turn(object_yaw: float, thing: Thing, yaw_now: float) -> float:
    if not thing.grasp_yaw:
        return float(np.clip(yaw_now, -0.3, 0.3))
    period = np.pi if thing.grasp is not None and thing.grasp[:2] == (0.0, 0.0) else 2 * np.pi
    return float(object_yaw - period * np.round((object_yaw - yaw_now) / period))
