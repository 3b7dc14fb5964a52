"""Numbers and constants in words. Everything from the wire is taken here as it may come: NaN, unknown, ill-written."""

from __future__ import annotations

import math
import unicodedata

from frs_msgs.msg import ArmState, Decision, GateReport, Guidance

from frs_teleop_cli.keys import Direction, flip
from frs_teleop_cli.wishes import NOWHERE, Wish

UNKNOWN = "?"

ARM_STATES = {
    ArmState.IDLE: "IDLE",
    ArmState.ARMED: "ARMED",
    ArmState.RUNNING: "RUNNING",
    ArmState.HOLDING: "HOLDING",
    ArmState.FAULT: "FAULT",
    ArmState.STOPPED: "STOPPED",
}

SOURCES = {
    Decision.SOURCE_BASE: "the policy",
    Decision.SOURCE_HUMAN: "a person",
    Decision.SOURCE_VLM: "the vision-language model",
    Decision.SOURCE_SCRIPTED: "scripted",
    Decision.SOURCE_NOISE_POLICY: "the noise policy",
}

VERDICTS = {
    GateReport.ACCEPTED: "accepted",
    GateReport.CLIPPED: "clipped",
    GateReport.REJECTED: "rejected",
    GateReport.HELD: "held",
}

REASONS = {
    GateReport.REASON_NONE: "nothing to object",
    GateReport.REASON_NOT_FINITE: "a value is not finite",
    GateReport.REASON_WRONG_SHAPE: "wrong shape of the chunk",
    GateReport.REASON_WRONG_SPACE: "chunk for another action space",
    GateReport.REASON_WRONG_OWNER: "chunk of another owner",
    GateReport.REASON_OLD_CHUNK: "an old chunk",
    GateReport.REASON_LATE_CHUNK: "the chunk came too late",
    GateReport.REASON_BAD_LEASE: "bad lease",
    GateReport.REASON_LEASE_ENDED: "the lease ended",
    GateReport.REASON_NO_CHUNK: "no chunk to drive",
    GateReport.REASON_JOINT_LIMIT: "joint limit",
    GateReport.REASON_JOINT_VELOCITY: "joint velocity",
    GateReport.REASON_JOINT_ACCELERATION: "joint acceleration",
    GateReport.REASON_CARTESIAN_SPEED: "Cartesian speed",
    GateReport.REASON_WORKSPACE: "edge of the workspace",
    GateReport.REASON_GRIPPER_RANGE: "gripper range",
    GateReport.REASON_STATE_STALE: "joint states are stale",
    GateReport.REASON_STOPPED: "the arm is stopped",
    GateReport.REASON_SELF_COLLISION: "the hand too near to the arm",
    GateReport.REASON_ROBOT_ERROR: "the robot reported an error",
}

GRIPPER = {Guidance.GRIPPER_OPEN: "open the gripper", Guidance.GRIPPER_CLOSE: "close the gripper"}

_WAYS = {
    (1.0, 0.0, 0.0): "forward",
    (-1.0, 0.0, 0.0): "back",
    (0.0, 1.0, 0.0): "left",
    (0.0, -1.0, 0.0): "right",
    (0.0, 0.0, 1.0): "up",
    (0.0, 0.0, -1.0): "down",
}


def clean(text: str, limit: int = 160) -> str:
    """Make text of unknown origin safe to show: one line, no control characters, at most `limit` characters."""
    printable = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text[: 4 * limit])
    line = " ".join(printable.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def finite(value: float) -> float | None:
    """Return the number, or None if it is NaN or infinite."""
    return value if math.isfinite(value) else None


def span(seconds: float | None) -> str:
    """Write a duration in seconds, or a question mark where it is unknown."""
    if seconds is None:
        return UNKNOWN
    if abs(seconds) < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if abs(seconds) < 99.95 else f"{seconds:.0f} s"


def age(seconds: float) -> str:
    """Write how long ago something was, to a tenth of a second: more would flicker."""
    return f"{seconds:.1f} s" if abs(seconds) < 99.95 else f"{seconds:.0f} s"


def ordinal(number: int) -> str:
    """Write 1st, 2nd, 3rd, 4th, 11th, ..."""
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def axis(direction: Direction) -> str:
    """Write a unit vector as '+x' or '-y', or in numbers where it lies on no axis."""
    for name, value in zip("xyz", direction, strict=True):
        if abs(value) > 0.999:
            return ("+" if value > 0 else "-") + name
    return "(" + ", ".join(f"{value:+.2f}" if math.isfinite(value) else UNKNOWN for value in direction) + ")"


def way(direction: Direction, flipped: bool) -> str:
    """Name a direction of the base frame as the operator sees it, with its axis: 'left (+y)'."""
    seen = flip(direction) if flipped else direction
    name = _WAYS.get(seen)
    return f"{name} ({axis(direction)})" if name else axis(direction)


def wish(wished: Wish, flipped: bool) -> str:
    """Write a wish: 'left (+y), close the gripper'."""
    if wished.defer:
        return "let the policy act"
    parts: list[str] = []
    if wished.direction != NOWHERE:
        parts.append(way(wished.direction, flipped) + amount(wished.amount))
    if wished.gripper != Guidance.GRIPPER_KEEP:
        parts.append(GRIPPER.get(wished.gripper, f"gripper wish {wished.gripper}?"))
    return ", ".join(parts) or "nothing"


def amount(share: float) -> str:
    """Write what is to be said about an amount beside a direction: nothing about the full one."""
    if share == 1.0:
        return ""
    return " less" if share == 0.5 else f" {share:.0%}" if math.isfinite(share) else f" amount {UNKNOWN}"
