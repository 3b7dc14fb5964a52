"""The keys of the operator's terminal: one table for the screen, the guide (docs/operator.md) and the tests."""

from __future__ import annotations

import dataclasses
import enum

Direction = tuple[float, float, float]
"""A unit vector, or (0, 0, 0) for none."""


class Act(enum.Enum):
    """What a key does."""

    MOVE = enum.auto()
    OPEN = enum.auto()
    CLOSE = enum.auto()
    DEFER = enum.auto()
    STOP = enum.auto()
    RESET = enum.auto()
    AMOUNT = enum.auto()
    FLIP = enum.auto()
    STEERING = enum.auto()
    EPISODE = enum.auto()
    RECORD = enum.auto()
    SUCCESS = enum.auto()
    FAILURE = enum.auto()
    DISCARD = enum.auto()
    NOTE = enum.auto()
    HELP = enum.auto()
    QUIT = enum.auto()


@dataclasses.dataclass(frozen=True)
class Key:
    """One row of the table.

    Attributes:
        names: names that textual gives to the keys of this row.
        shown: how the keys are written on the screen and in the guide.
        act: what they do.
        brief: one or two words for the foot of the screen, where keys of the same brief stand together.
        meaning: the same in words.
        direction: for MOVE, where to, as the operator sees it: x away from them, y to their left, z up.
    """

    names: tuple[str, ...]
    shown: str
    act: Act
    brief: str
    meaning: str
    direction: Direction = (0.0, 0.0, 0.0)


# Capital letters stay unbound: an arrow key is sent as ESC [ A to ESC [ D, and where a slow connection
# splits that, a lone 'A' arrives. It must not switch the steering on.
KEYS: tuple[Key, ...] = (
    Key(("space",), "space", Act.STOP, "STOP", "STOP: the arm brakes and stays stopped"),
    Key(("r",), "r", Act.RESET, "reset", "reset after a stop; nothing moves by it"),
    Key(("up", "i"), "↑ i", Act.MOVE, "move", "forward, away from you", (1.0, 0.0, 0.0)),
    Key(("down", "k"), "↓ k", Act.MOVE, "move", "back, towards you", (-1.0, 0.0, 0.0)),
    Key(("left", "j"), "← j", Act.MOVE, "move", "to your left", (0.0, 1.0, 0.0)),
    Key(("right", "l"), "→ l", Act.MOVE, "move", "to your right", (0.0, -1.0, 0.0)),
    Key(("w", "pageup"), "w PgUp", Act.MOVE, "move", "up", (0.0, 0.0, 1.0)),
    Key(("s", "pagedown"), "s PgDn", Act.MOVE, "move", "down", (0.0, 0.0, -1.0)),
    Key(("o",), "o", Act.OPEN, "open", "open the gripper"),
    Key(("c",), "c", Act.CLOSE, "close", "close the gripper"),
    Key(("d", "enter"), "d Enter", Act.DEFER, "policy", "drop all wishes: the policy acts"),
    Key(("m",), "m", Act.AMOUNT, "amount", "more or less: full or half the coarse speed"),
    Key(("f",), "f", Act.FLIP, "flip", "flip the compass: you face the robot"),
    Key(("a",), "a", Act.STEERING, "steer", "switch the steering on or off"),
    Key(("b",), "b", Act.EPISODE, "begin", "begin an episode: fresh scene, steering on, recorded; x calls it off"),
    Key(("e",), "e", Act.RECORD, "record", "record by hand what you do in the present scene"),
    Key(("y",), "y", Act.SUCCESS, "success", "end the recording: success"),
    Key(("n",), "n", Act.FAILURE, "fail", "end the recording: failure"),
    Key(("x",), "x", Act.DISCARD, "discard", "end the recording: discard"),
    Key(("t",), "t", Act.NOTE, "note", "type a note into the recording; space stops the arm even then"),
    Key(("question_mark",), "?", Act.HELP, "help", "show or hide this help"),
    Key(("q", "ctrl+c"), "q Ctrl+C", Act.QUIT, "quit", "quit"),
)

_BY_NAME = {name: key for key in KEYS for name in key.names}


def key_named(name: str) -> Key | None:
    """Look up the row for a key by textual's name for it; None if the key does nothing."""
    return _BY_NAME.get(name)


def flip(direction: Direction) -> Direction:
    """Turn a direction half round the vertical: between the base frame and the view of someone facing the robot."""
    x, y, z = direction
    return (-x + 0.0, -y + 0.0, z)  # + 0.0: no negative zeros on the wire


def summary() -> tuple[str, ...]:
    """Write the keys shortly, one string for the keys of each brief: 'space STOP', 'r reset', '↑↓←→ws move', ..."""
    names: dict[str, str] = {}
    for key in KEYS:
        names[key.brief] = names.get(key.brief, "") + key.shown.split()[0]
    return tuple(f"{shown} {brief}" for brief, shown in names.items())


def markdown_table() -> str:
    """Write the keys as the table of docs/operator.md, without a closing newline."""
    rows = ["| key | what it does |", "|---|---|"]
    for key in KEYS:
        shown = " ".join(f"`{name}`" for name in key.shown.split())
        rows.append(f"| {shown} | {key.meaning} |")
    return "\n".join(rows)
