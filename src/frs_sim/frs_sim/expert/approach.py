"""To a point near the table from above: over it, down, and never sideways through what stands there."""

from __future__ import annotations

import numpy as np

from frs_sim.cell import Truth
from frs_sim.expert.motion import Phase, Plan, hand_yaw

HOVER = 0.10  # m, height above the point at which the hand is aligned before it goes down
ALIGNED = 0.012  # m
TURNED = 0.12  # rad
THERE = 0.005  # m above the point
CLEAR = 0.05  # m above the point, below which the hand goes straight up before it goes sideways


def approach(truth: Truth, point: np.ndarray, yaw: float, gripper: float) -> Plan | None:
    """The plan to bring the hand to `point` (3,) m with `yaw`; None where it is there."""
    hand = truth.tcp_position
    away = float(np.hypot(*(point - hand)[:2]))
    height = float(hand[2] - point[2])
    if away < ALIGNED and abs(yaw - hand_yaw(truth)) < TURNED:
        return None if height < THERE else Plan(Phase.DESCEND, point, yaw, gripper, point)
    low = height < HOVER - 0.03
    if low and away < 3 * ALIGNED:  # nearly there: correct sideways without going up again
        return Plan(Phase.DESCEND, np.array([*point[:2], hand[2]]), yaw, gripper, point)
    if low:
        share = 0.0 if height < CLEAR else 0.3
        above = np.array([*(hand[:2] + share * (point - hand)[:2]), point[2] + HOVER + 0.03])
        return Plan(Phase.REACH, above, yaw, gripper, point)
    return Plan(Phase.REACH, np.array([*point[:2], point[2] + HOVER]), yaw, gripper, point)
