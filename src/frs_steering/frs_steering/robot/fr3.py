"""Names and fixed figures of the Franka Research 3 (FR3) with the Franka hand."""

import numpy as np

BASE_FRAME = "fr3_link0"
TCP_FRAME = "fr3_hand_tcp"
JOINT_NAMES = tuple(f"fr3_joint{i}" for i in range(1, 8))
FINGER_JOINT = "fr3_finger_joint1"
FINGER_OPEN = 0.04
"""Position of a finger with the gripper open [m]; 0 is closed (franka_description, hand)."""

RESET_POSITION = np.array([0.0, -np.pi / 5, 0.0, -4 * np.pi / 5, 0.0, 3 * np.pi / 5, np.pi / 4])
"""DROID's reset pose [rad], joint 7 turned by 45 degrees because the Franka hand is mounted so; also the posture that
the null space is drawn to."""
RESET_POSITION.setflags(write=False)


def finger_position(gripper: float) -> float:
    """Position of a finger [m] for a gripper value, 0 open .. 1 closed."""
    return FINGER_OPEN * (1.0 - gripper)


def gripper_value(finger: float) -> float:
    """Gripper value, 0 open .. 1 closed, for the position of a finger [m]; clipped to that range."""
    return min(1.0, max(0.0, 1.0 - finger / FINGER_OPEN))
