"""How the recorder is: its file, its disk, and what should be coming."""

from __future__ import annotations

from collections.abc import Sequence

from frs_steering.health.report import Health, Level
from frs_steering.record.writer import Progress


def file_health(progress: Progress | None, refusal: str) -> Health:
    """What is being written.

    Args:
        progress: of the recording; None while nothing is recorded.
        refusal: why the last recorder/start was refused, in words; empty if it was not.
    """
    if progress is None:
        if refusal:
            return Health(Level.ERROR, f"not recording: {refusal}")
        return Health(Level.OK, "not recording: call recorder/start")
    values = {
        "file": str(progress.path),
        "messages": str(progress.messages),
        "bytes": str(progress.size),
        "control records lost": str(progress.dropped_control),
        "images left out": str(progress.dropped_images),
    }
    if progress.failure:
        more = "what came before is whole; call recorder/stop, or begin another"
        return Health(Level.ERROR, f"{progress.failure}; {more}", values)
    if progress.dropped_control:
        return Health(
            Level.ERROR,
            "control records are lost, on their way or before a disk that is too slow: see the recorder's log",
            values,
        )
    if progress.complaint:
        return Health(Level.WARN, progress.complaint, values)
    if progress.dropped_images:
        return Health(Level.WARN, "images are left out: the disk or the processor is too slow for them", values)
    return Health(Level.OK, f"recording to {progress.path}", values)


def disk_health(directory: str, minutes: float | None, error: str, least: float) -> Health:
    """Whether there is room for recordings.

    Args:
        directory: of the recordings.
        minutes: that there is room for; None if the disk could not be asked.
        error: why it could not, in words.
        least: minutes below which it is too little.
    """
    if minutes is None:
        return Health(Level.ERROR, f"can't write to {directory}: {error}")
    values = {"directory": directory, "room for [min]": f"{minutes:.0f}"}
    if minutes < least:
        return Health(
            Level.WARN, f"the disk of {directory} has room for less than {least:g} minutes: make room", values
        )
    return Health(Level.OK, "there is room", values)


def topics_health(complaints: Sequence[str], *, recording: bool) -> Health:
    """Whether what belongs into an episode comes; `complaints` as by `record.alive.Alive`, a line each."""
    if not complaints:
        return Health(Level.OK, "all comes that belongs into an episode")
    # Without the lines, in which there are rates: they are in the values.
    topics = ", ".join(dict.fromkeys(line.split(" ", 1)[0] for line in complaints))
    what = "the recording lacks" if recording else "an episode recorded now would lack"
    values = {str(number): line for number, line in enumerate(complaints, 1)}
    return Health(Level.WARN, f"{what} what it should have of {topics}: see their nodes", values)
