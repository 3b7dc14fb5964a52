"""Definitions and type hashes of messages, found in the installed packages, so that files explain themselves."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

from frs_steering.record.errors import JournalError

_PRIMITIVES = {"bool", "byte", "char", "float32", "float64", "string", "wstring"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
_SEPARATOR = "=" * 80
_FIELD_TYPE = re.compile(r"^\s*(?P<type>[A-Za-z][\w/]*)(?:<=\d+)?(?:\[[^\]]*\])?\s+[A-Za-z]")


@cache
def definition(message_type: str) -> str:
    """Full text of a message's definition with those of all messages in it, as rosbag2 stores it ("ros2msg").

    The message's own text comes first; each message that it refers to follows behind a line of 80 '='
    and a line "MSG: package/Type".

    Args:
        message_type: e.g. "frs_msgs/msg/Decision".

    Raises:
        JournalError: no installed package holds the definition.
    """
    parts = [_text(message_type)]
    pending = _referred(message_type)
    known = {message_type}
    while pending:
        inner = pending.pop(0)
        if inner in known:
            continue
        known.add(inner)
        package, _, name = inner.split("/")
        parts.append(f"{_SEPARATOR}\nMSG: {package}/{name}\n{_text(inner)}")
        pending += _referred(inner)
    return "\n".join(part.rstrip("\n") for part in parts) + "\n"


@cache
def type_hash(message_type: str) -> str:
    """REP-2011 hash of a message ("RIHS01_..."), or "" where the installed package has none (before Iron)."""
    path = _path(message_type).with_suffix(".json")
    if not path.is_file():
        return ""
    hashes = json.loads(path.read_text())["type_hashes"]
    return next((entry["hash_string"] for entry in hashes if entry["type_name"] == message_type), "")


def _path(message_type: str) -> Path:
    parts = message_type.split("/")
    if len(parts) != 3 or parts[1] != "msg" or not all(parts):
        raise JournalError(f"message type {message_type!r} must be of the form 'package/msg/Type'")
    try:
        share = get_package_share_directory(parts[0])
    except PackageNotFoundError as error:
        raise JournalError(f"package {parts[0]!r} of message {message_type!r} is not installed") from error
    return Path(share, "msg", f"{parts[2]}.msg")


def _text(message_type: str) -> str:
    path = _path(message_type)
    try:
        return path.read_text()
    except FileNotFoundError as error:
        raise JournalError(f"message {message_type!r} has no definition at {path}") from error


def _referred(message_type: str) -> list[str]:
    package = message_type.split("/")[0]
    found = []
    for line in _text(message_type).splitlines():
        match = _FIELD_TYPE.match(line.split("#", 1)[0])
        if match is None or match["type"] in _PRIMITIVES:
            continue
        parts = match["type"].split("/")
        found.append(f"{parts[0] if len(parts) > 1 else package}/msg/{parts[-1]}")
    return found
