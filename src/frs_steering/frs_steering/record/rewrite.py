"""Writing a recording anew, all that can be read of it, with another end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from frs_steering.record.bag import EPISODE_RECORD, NAME, RESULT_RECORD, ROSBAG2_RECORD, BagFile, Channel
from frs_steering.record.scan import Scan


def rewrite(scan: Scan, target: Path, suffix: str, result: Mapping[str, str]) -> None:
    """Write what `scan` read, whose file the caller holds, as a whole file; interrupted, it leaves `target` as it was.

    Args:
        scan: at its end.
        target: the final name; what is there is replaced in one go.
        suffix: added to the name until the file is whole.
        result: label and losses.

    Raises:
        OSError: the disk refused; nothing has changed.
    """
    channels = [
        Channel(
            channel.topic,
            scan.schemas[channel.schema_id].name,
            scan.schemas[channel.schema_id].data.decode(),
            channel.metadata.get("topic_type_hash", ""),
            channel.metadata.get("offered_qos_profiles", ""),
            channel.metadata.get(NAME, ""),
        )
        for channel in scan.channels.values()
    ]
    index = {identity: position for position, identity in enumerate(scan.channels)}
    target.with_name(target.name + suffix).unlink(missing_ok=True)  # of somebody who was interrupted
    bag = BagFile(target, channels, scan.metadata.get(EPISODE_RECORD, {}), suffix)
    try:
        for name, content in scan.metadata.items():
            if name not in (EPISODE_RECORD, RESULT_RECORD, ROSBAG2_RECORD):
                bag.describe(name, content)
        for _, channel, message in Scan(scan.path):
            bag.write(index[channel.id], message.data, message.log_time, message.publish_time)
        bag.finish(result)
    except BaseException:
        bag.abandon()
        bag.partial.unlink(missing_ok=True)
        raise
