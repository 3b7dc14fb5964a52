"""Whether a driver makes the stops that the gate reckons with: with slower ones the arm goes beyond its walls."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from frs_steering.arm.limits import greatest_accelerations
from frs_steering.arm.robots import Robot

Array = NDArray[np.float64]

ASKED = ("robot", "joint_acceleration")
"""Parameters of arm_controller that a driver must agree with."""

_ROUNDING = 1e-6  # rad/s^2


def disagreement(robot: Robot, acceleration: Array, told: Mapping[str, object]) -> str:
    """Why the controller's gate reckons with more than the driver does, in words; empty if it doesn't.

    Args:
        robot: the driver's.
        acceleration: with which the driver stops each joint (7,) [rad/s^2].
        told: the controller's parameters ASKED; None is the value of one that it does not have.
    """
    theirs, greatest = told["robot"], told["joint_acceleration"]
    if theirs != robot.name:
        return f"arm_controller's robot is {theirs!r}, the driver's {robot.name!r}: give both the same, and start anew"
    if not isinstance(greatest, int | float):
        return (
            f"arm_controller's joint_acceleration is {greatest!r}; without it nobody knows what its gate reckons with"
        )
    reckoned = greatest_accelerations(robot, greatest)
    joint = int((reckoned - acceleration).argmax())
    if reckoned[joint] > acceleration[joint] + _ROUNDING:
        return (
            f"arm_controller reckons with stops of joint {joint + 1} at {reckoned[joint]:g} rad/s^2, the driver makes "
            f"them at {acceleration[joint]:g}: give arm_controller no greater joint_acceleration, and start anew"
        )
    return ""
