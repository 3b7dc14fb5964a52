"""Mending what a killed recorder left: all whole chunks of a partial file, in a whole one that stock tools open."""

from __future__ import annotations

from pathlib import Path

from frs_steering.record.bag import PARTIAL, RESULT_RECORD
from frs_steering.record.disk import held
from frs_steering.record.errors import JournalError
from frs_steering.record.reader import Summary, records, summarise
from frs_steering.record.rewrite import rewrite
from frs_steering.record.scan import locate, scanned


def recover(path: Path) -> Summary:
    """Turn a partial file into a whole one beside it, with metadata.yaml, and remove the partial one.

    Where a recovery that was killed has left the whole one already, only the partial one is removed: the whole one may
    have been labelled since.

    Args:
        path: the .mcap.partial file, or its episode's directory.

    Returns:
        What the whole file holds. It is "unlabelled" unless the recorder died after it had written the label.

    Raises:
        JournalError: not a partial file, being written, empty, not MCAP, or without a whole chunk.
        OSError: the disk refused; the partial file is untouched.
    """
    partial = locate(path)
    if partial.suffix != PARTIAL:
        raise JournalError(f"{partial} is no partial recording (*.mcap{PARTIAL}): there is nothing to recover")
    whole = partial.with_suffix("")
    with held(partial):
        scan = scanned(partial)
        if not scan.channels:
            raise JournalError(f"{partial} has no whole chunk: {'; '.join(scan.damage)}")
        if not _holds_all(whole):
            told = {**_losses(partial), **scan.metadata.get(RESULT_RECORD, {})}
            notes = [told.get("note", ""), "recovered", *scan.damage]
            rewrite(scan, whole, ".recovering", {"label": "unlabelled", **told, "note": "; ".join(filter(None, notes))})
        partial.unlink()
    return summarise(whole)


def _losses(partial: Path) -> dict[str, str]:
    """What the recorder said last of what it had lost; empty where it said nothing yet."""
    said = [record.message for record in records(partial, ["recorder_state"])]
    return {name: str(getattr(said[-1], name)) for name in ("dropped_control", "dropped_images")} if said else {}


def _holds_all(whole: Path) -> bool:
    """Whether a recovery was killed between the last two of its steps; it gives a file its name when it is complete."""
    try:
        return not scanned(whole).damage
    except (JournalError, FileNotFoundError):
        return False
