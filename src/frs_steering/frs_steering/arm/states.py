"""The states of the arm's controller and how they follow each other; the same numbers as frs_msgs/ArmState."""

from enum import Enum, IntEnum, auto


class State(IntEnum):
    """What the controller is doing."""

    IDLE = 0
    """No owner, or no joint states yet."""
    ARMED = 1
    """An owner has claimed the arm, nothing has driven it yet."""
    RUNNING = 2
    """A chunk with a valid lease drives."""
    HOLDING = 3
    """The lease ended or the chunk ran out: the arm decelerates and rests, the next chunk goes on."""
    FAULT = 4
    """The joint states are stale, until they come again, or the robot told of an error, until `recover`: the arm
    decelerates and rests."""
    STOPPED = 5
    """Latched stop: the arm decelerates and rests until a reset, after which it must be claimed anew."""


UNDRIVEN = (State.IDLE, State.FAULT, State.STOPPED)
"""No chunk drives in these; at rest nothing is sent, and the target follows the arm."""

SAID_AT_REST = 2
"""Control steps for which an arm that came to rest in one of these is told so before that."""


class Event(Enum):
    """What may happen to the controller."""

    CLAIMED = auto()
    DRIVEN = auto()
    """A row of a chunk drives this control step, or the arm is on its way home."""
    RUN_OUT = auto()
    """No row drives this control step any longer."""
    FAILED = auto()
    """The joint states have become stale, or the robot told of an error."""
    SOUND = auto()
    """That is over, and the arm has an owner."""
    SOUND_UNOWNED = auto()
    """That is over, and the arm has no owner."""
    STOP = auto()
    RESET = auto()


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.IDLE, Event.CLAIMED): State.ARMED,
    (State.IDLE, Event.FAILED): State.FAULT,
    (State.IDLE, Event.STOP): State.STOPPED,
    (State.ARMED, Event.CLAIMED): State.ARMED,
    (State.ARMED, Event.DRIVEN): State.RUNNING,
    (State.ARMED, Event.FAILED): State.FAULT,
    (State.ARMED, Event.STOP): State.STOPPED,
    (State.RUNNING, Event.CLAIMED): State.ARMED,
    (State.RUNNING, Event.RUN_OUT): State.HOLDING,
    (State.RUNNING, Event.FAILED): State.FAULT,
    (State.RUNNING, Event.STOP): State.STOPPED,
    (State.HOLDING, Event.CLAIMED): State.ARMED,
    (State.HOLDING, Event.DRIVEN): State.RUNNING,
    (State.HOLDING, Event.FAILED): State.FAULT,
    (State.HOLDING, Event.STOP): State.STOPPED,
    (State.FAULT, Event.SOUND): State.HOLDING,
    (State.FAULT, Event.SOUND_UNOWNED): State.IDLE,
    (State.FAULT, Event.STOP): State.STOPPED,
    (State.STOPPED, Event.RESET): State.IDLE,
}
"""All changes of state; an event that is not listed for a state leaves it as it is."""
