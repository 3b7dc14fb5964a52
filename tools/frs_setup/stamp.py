"""Stamps: what a phase was done with, so that it is done again only when that has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest(parts: Iterable[str | bytes]) -> str:
    """Hash a sequence of texts and contents; each is delimited by its length, so that none can pass for two."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()


def is_current(stamp: Path, wanted: str) -> bool:
    """Whether the phase of this stamp was last completed with `wanted`."""
    try:
        return stamp.read_text() == wanted
    except OSError:
        return False


def write(stamp: Path, done: str) -> None:
    """Note that the phase is complete."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(done)
