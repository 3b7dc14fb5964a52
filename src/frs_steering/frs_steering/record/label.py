"""Labelling an episode afterwards: one that was recorded without a label, or recovered, or whose label was wrong."""

from __future__ import annotations

from pathlib import Path

from frs_steering.record.bag import PARTIAL, RESULT_RECORD
from frs_steering.record.disk import held
from frs_steering.record.errors import JournalError
from frs_steering.record.reader import Summary, summarise
from frs_steering.record.rewrite import rewrite
from frs_steering.record.scan import locate, scanned

VERDICTS = ("succeeded", "failed", "discarded")


def label(path: Path, verdict: str, note: str | None = None, operator: str | None = None) -> Summary:
    """Give a whole file a label; it is written anew beside itself and replaced in one go, so that nothing can be lost.

    Args:
        path: of the file or the episode's directory.
        verdict: one of VERDICTS.
        note: free text; None leaves what is there.
        operator: who says so; None leaves what is there.

    Returns:
        What the file holds now.

    Raises:
        JournalError: no such verdict, the file is being written, not whole, damaged, empty or not MCAP.
        OSError: the disk refused; the file is as it was.
    """
    if verdict not in VERDICTS:
        raise JournalError(f"label is {verdict!r}; it must be one of {', '.join(VERDICTS)}")
    whole = locate(path)
    with held(whole):
        if whole.suffix == PARTIAL:
            raise JournalError(f"{whole} has no end yet: `frs record recover` makes a whole file of it first")
        scan = scanned(whole)
        if scan.damage:
            raise JournalError(
                f"{whole} is damaged ({'; '.join(scan.damage)}): it would be written anew, without what can't be read"
            )
        said = {"label": verdict, "note": note, "operator": operator}
        result = scan.metadata.get(RESULT_RECORD, {}) | {key: text for key, text in said.items() if text is not None}
        rewrite(scan, whole, ".labelling", result)
    return summarise(whole)
