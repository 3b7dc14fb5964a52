"""Mending what a killed recorder left: all whole chunks of a partial file, in a whole one that stock tools open."""

from __future__ import annotations

from pathlib import Path

from frs_steering.record.bag import EPISODE_RECORD, PARTIAL, BagFile, Channel
from frs_steering.record.errors import JournalError
from frs_steering.record.reader import Summary, summarise
from frs_steering.record.scan import Scan, locate


def recover(path: Path) -> Summary:
    """Turn a partial file into a whole one beside it, with metadata.yaml, and remove the partial one.

    Args:
        path: the .mcap.partial file, or its episode's directory.

    Returns:
        What the whole file holds. Its result names no label: the recorder died before it got one.

    Raises:
        JournalError: not a partial file, empty, not MCAP, or without a whole chunk.
        OSError: the disk refused; the partial file is untouched.
    """
    partial = locate(path)
    if partial.suffix != PARTIAL:
        raise JournalError(f"{partial} is no partial recording (*.mcap{PARTIAL}): there is nothing to recover")
    scan = Scan(partial)
    for _ in scan:
        pass  # the first pass only finds the topics
    if not scan.channels:
        raise JournalError(f"{partial} has no whole chunk: {'; '.join(scan.damage)}")
    channels = [
        Channel(
            channel.topic,
            scan.schemas[channel.schema_id].name,
            scan.schemas[channel.schema_id].data.decode(),
            channel.metadata.get("topic_type_hash", ""),
            channel.metadata.get("offered_qos_profiles", ""),
        )
        for channel in scan.channels.values()
    ]
    index = {identity: position for position, identity in enumerate(scan.channels)}
    bag = BagFile(partial.with_suffix(""), channels, scan.metadata.get(EPISODE_RECORD, {}), suffix=".recovering")
    try:
        for _, channel, message in Scan(partial):
            bag.write(index[channel.id], message.data, message.log_time, message.publish_time)
        bag.finish({"label": "unlabelled", "note": f"recovered; {'; '.join(scan.damage)}"})
    except BaseException:
        bag.abandon()
        bag.partial.unlink(missing_ok=True)
        raise
    partial.unlink()
    return summarise(bag.path)
