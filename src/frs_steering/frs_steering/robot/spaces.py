"""What the columns of a chunk mean; the same numbers as frs_msgs/ActionSpace."""

from enum import IntEnum


class ActionSpace(IntEnum):
    """A policy declares its space; the arm moves only in the one its controller was set up for.

    The last column of every space is the gripper, 0 open .. 1 closed.
    """

    UNKNOWN = 0
    JOINT_VELOCITY = 1
    """7 joint velocities [rad/s], gripper: D = 8."""
    JOINT_POSITION = 2
    """7 joint positions [rad], gripper: D = 8."""
    CARTESIAN_VELOCITY = 3
    """Tool centre point: linear xyz [m/s], angular xyz [rad/s] in the chunk's frame, gripper: D = 7."""

    @property
    def dim(self) -> int:
        """Columns D of a chunk in this space.

        Raises:
            ValueError: the space is UNKNOWN.
        """
        if self is ActionSpace.UNKNOWN:
            raise ValueError(
                "action space UNKNOWN has no columns; use JOINT_VELOCITY, JOINT_POSITION or CARTESIAN_VELOCITY"
            )
        return 7 if self is ActionSpace.CARTESIAN_VELOCITY else 8
