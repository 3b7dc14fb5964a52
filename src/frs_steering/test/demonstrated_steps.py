"""Control steps of a demonstration: a hand that goes down and closes."""

from __future__ import annotations

import numpy as np

from frs_steering.record.steps import ControlStep
from frs_steering.robot.fr3 import RESET_POSITION
from frs_steering.robot.kinematics import pose_and_jacobian

INSTRUCTION = "put the egg on the plate"
CLOSES = 20
"""Control step at which the gripper is closed; it is told to one step earlier."""


def control_steps(count: int) -> list[ControlStep]:
    """So many of them."""
    rng = np.random.default_rng(0)
    images = {name: rng.integers(0, 256, (64, 64, 3), np.uint8) for name in ("exterior", "wrist")}
    down = np.linalg.pinv(pose_and_jacobian(RESET_POSITION)[1]) @ [0.0, 0.0, -0.1, 0.0, 0.0, 0.0]
    return [
        ControlStep(
            tick=number, images=images, joint_position=RESET_POSITION + down * number / 15,
            gripper=float(number >= CLOSES), tcp_position=np.zeros(3), tcp_quaternion=np.array([0.0, 0.0, 0.0, 1.0]),
            commanded=down, gripper_commanded=float(number >= CLOSES - 1), row=0, decision=None,
        )
        for number in range(count)
    ]  # fmt: skip
