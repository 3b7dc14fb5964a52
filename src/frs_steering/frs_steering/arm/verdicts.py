"""What the gate says; the same numbers as the constants of frs_msgs/GateReport."""

from enum import IntEnum


class Verdict(IntEnum):
    """What became of a chunk or of one control step."""

    ACCEPTED = 0
    CLIPPED = 1
    REJECTED = 2
    HELD = 3
    """No chunk may drive: the arm decelerates or rests."""


class Reason(IntEnum):
    """Why; the first that applied, in the order of the checks."""

    NONE = 0
    NOT_FINITE = 1
    WRONG_SHAPE = 2
    WRONG_SPACE = 3
    WRONG_OWNER = 4
    OLD_CHUNK = 5
    LATE_CHUNK = 6
    BAD_LEASE = 7
    LEASE_ENDED = 8
    NO_CHUNK = 9
    JOINT_LIMIT = 10
    JOINT_VELOCITY = 11
    JOINT_ACCELERATION = 12
    CARTESIAN_SPEED = 13
    WORKSPACE = 14
    GRIPPER_RANGE = 15
    STATE_STALE = 16
    STOPPED = 17
    SELF_COLLISION = 18
    ROBOT_ERROR = 19
