"""What franka_ros2 says of the robot, in words: its mode, its errors, and whether it still says anything.

The modes and the errors' names are libfranka's (`franka::RobotMode`, `franka::Errors`), as franka_ros2 has them in
`franka_msgs/FrankaRobotState`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

STALE = 0.25
"""s without a new state, of which up to a thousand come a second, after which the robot has been lost."""


class RobotMode(IntEnum):
    """What the robot is doing; the numbers of FrankaRobotState's constants."""

    OTHER = 0
    IDLE = 1
    MOVE = 2
    GUIDING = 3
    REFLEX = 4
    USER_STOPPED = 5
    AUTOMATIC_ERROR_RECOVERY = 6


HELD = {
    RobotMode.USER_STOPPED: "the user stop is pressed: release it",
    RobotMode.GUIDING: "somebody guides the arm by hand: let it go",
}
"""Modes in which the arm is in somebody's hands: it follows no command, and can't be recovered."""

HINTS = {
    "cartesian_reflex": "the hand met more force than its threshold",
    "communication_constraints_violation": "commands came too late too often: look at the network and the kernel",
    "controller_torque_discontinuity": "the commanded torques jumped",
    "instability_detected": "the controller swings",
    "joint_position_limits_violation": "a joint is at the end of its range: move it back in Desk",
    "joint_reflex": "a joint met more torque than its threshold",
    "joint_velocity_violation": "a joint was too fast",
    "power_limit_violation": "the motion took too much power",
    "self_collision_avoidance_violation": "the arm is too near to itself: move it away in Desk",
    "tau_j_range_violation": "a joint's sensor measures more torque than it can: is the load set right?",
}
"""What an error means, for those that people meet; the others' names say it."""


@dataclass(frozen=True)
class RobotState:
    """The part of a state that says whether the robot follows.

    Attributes:
        time: of the robot's own clock [s]; it stands still when franka_ros2 has lost the robot.
        mode: a `RobotMode`, or a number that is none.
        current: names of the errors that the robot is in.
        last: names of the errors that ended its last motion.
    """

    time: float
    mode: int
    current: tuple[str, ...]
    last: tuple[str, ...]


def names_of(errors: object, known: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the flags that are set in a message of type Errors, of those that it has."""
    return tuple(name for name in known if getattr(errors, name))


def in_words(state: RobotState) -> str:
    """Why the robot does not follow commands; empty if it does."""
    if state.mode in HELD:
        return HELD[RobotMode(state.mode)]
    if state.current:
        return _named(state.current)
    if state.mode == RobotMode.REFLEX:
        return f"a reflex has stopped it: {_named(state.last)}" if state.last else "a reflex has stopped it"
    if state.mode == RobotMode.AUTOMATIC_ERROR_RECOVERY:
        return "it is recovering from an error"
    return ""


def _named(errors: tuple[str, ...]) -> str:
    return ", ".join(f"{name} ({HINTS[name]})" if name in HINTS else name for name in errors)


class StateWatch:
    """Tells an error of the robot, and a robot that nothing new is heard of. Times are monotonic, in s."""

    def __init__(self) -> None:
        self.state: RobotState | None = None
        """The last one; None before the first."""
        self._received = self._advanced = 0.0

    def saw(self, state: RobotState, now: float) -> None:
        """A state came."""
        if self.state is None or state.time != self.state.time:
            self._advanced = now
        self.state, self._received = state, now

    def error(self, now: float) -> str:
        """Why the robot does not follow, in words; empty if it does, or if nothing was ever heard of it."""
        if self.state is None:
            return ""
        if said := in_words(self.state):
            return said
        # After an error franka_ros2 ends its hardware component: on Humble its broadcasters then repeat the last state
        # of before, which knows no error, and the joint states too; on Jazzy they fall silent.
        if now - self._received > STALE:
            return f"its state comes no more: {_AGAIN}"
        if now - self._advanced > STALE:
            return f"its state stands still: {_AGAIN}"
        return ""


_AGAIN = (
    "franka_ros2 has ended or lost it; see its log, recover, then activate the hardware component and its controllers "
    "(ros2 control set_hardware_component_state FrankaHardwareInterface active)"
)
