"""Mending what a killed recorder or a broken copy left: all whole chunks, in a whole file that stock tools open."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from frs_steering.record.bag import PARTIAL, RESULT_RECORD
from frs_steering.record.disk import held
from frs_steering.record.errors import JournalError
from frs_steering.record.reader import Summary, records, summarise
from frs_steering.record.rewrite import rewrite
from frs_steering.record.scan import Scan, locate, scanned

DAMAGED = ".damaged"
"""After the name of a file that was mended: what could not be read of it is still in there."""


def recover(path: Path) -> Summary:
    """Turn a partial file into a whole one beside it, with metadata.yaml, and remove the partial one.

    Where a recovery that was killed has left the whole one already, only the partial one is removed: the whole one may
    have been labelled since. A file that had been whole and is damaged now stays beside the mended one, as *.damaged.

    Args:
        path: the .mcap.partial file, a damaged .mcap file, or its episode's directory.

    Returns:
        What the whole file holds. It is "unlabelled" where the label is not in what is left.

    Raises:
        JournalError: whole, being written, empty, not MCAP, without a whole chunk, or damaged a second time while the
            first damaged one is still kept; the file is untouched.
        OSError: the disk refused; the file is untouched.
    """
    found = locate(path)
    with held(found):
        scan = scanned(found)
        if not scan.channels:
            raise JournalError(f"{found} has no whole chunk: {'; '.join(scan.damage)}")
        if found.suffix == PARTIAL:
            whole = found.with_suffix("")
            if not _holds_all(whole):
                _mend(scan, whole)
            found.unlink()
        elif scan.damage:
            whole = found
            kept = found.with_name(found.name + DAMAGED)
            if not (kept.exists() and kept.samefile(found)):  # as somebody who was interrupted leaves it
                _keep(found, kept)
            _mend(scan, whole)
        else:
            raise JournalError(f"{found} is whole: there is nothing to recover")
    return summarise(whole)


def _keep(found: Path, kept: Path) -> None:
    if kept.exists():
        raise JournalError(f"{kept} is there, from an earlier damage; move it away, and recover {found.name} again")
    try:
        os.link(found, kept)
    except OSError:  # a file system without links
        shutil.copyfile(found, kept)


def _mend(scan: Scan, whole: Path) -> None:
    told = {**_losses(scan.path), **scan.metadata.get(RESULT_RECORD, {})}
    notes = [told.get("note", ""), "recovered", *scan.damage]
    rewrite(scan, whole, ".recovering", {"label": "unlabelled", **told, "note": "; ".join(filter(None, notes))})


def _losses(recording: Path) -> dict[str, str]:
    """What the recorder said last of what it had lost; empty where it said nothing yet."""
    said = [record.message for record in records(recording, ["recorder_state"])]
    return {name: str(getattr(said[-1], name)) for name in ("dropped_control", "dropped_images")} if said else {}


def _holds_all(whole: Path) -> bool:
    """Whether a recovery was killed between the last two of its steps; it gives a file its name when it is complete."""
    try:
        return not scanned(whole).damage
    except (JournalError, FileNotFoundError):
        return False
