"""One bag on disk: an MCAP file that grows chunk by chunk as `.partial` and gets its name when it is whole."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from mcap.well_known import MessageEncoding, SchemaEncoding
from mcap.writer import CompressionType, Writer

from frs_steering.record.definitions import definition, type_hash
from frs_steering.record.disk import DiskFile
from frs_steering.record.qos import OfferedQos, offered_qos_yaml

CHUNK_BYTES = 128 * 1024
"""Largest chunk before compression. What a kill can cost is one chunk; a larger message gets a chunk of its own."""

PARTIAL = ".partial"
"""Suffix of a file that is being written, or whose writer died."""

EPISODE_RECORD = "frs_episode"
"""Name of the MCAP metadata record at the beginning of a file: what was to be recorded."""

RESULT_RECORD = "frs_result"
"""Name of the MCAP metadata record at the end of a whole file: its label, and what was lost."""

NAME = "frs_name"
"""Key of a channel's metadata: its `Channel.name`."""

ROSBAG2_RECORD = "rosbag2"
"""Name of the MCAP metadata record in which stock tools look for metadata.yaml's content."""

_MESSAGE_OVERHEAD = 31  # bytes of an MCAP message record around its data
_CHANNEL_BYTES = 1024  # more than a channel's or a schema's record needs beside the definition
_BAG_VERSION = 8  # of rosbag2's metadata: Humble and later read it, with QoS as numbers


@dataclass(frozen=True)
class Channel:
    """One topic of a file.

    Attributes:
        topic: full name, e.g. "/arm_state".
        type: full name of the stored message, e.g. "frs_msgs/msg/ArmState".
        definition: of the message and all that it refers to, as text ("ros2msg").
        type_hash: REP-2011 hash of the message, "" where unknown.
        qos: profiles that its publishers offer, as rosbag2's YAML text.
        name: by which `record.topics` knows it, whatever it was remapped to; "" where that is not known.
    """

    topic: str
    type: str
    definition: str
    type_hash: str
    qos: str
    name: str = ""


def installed_channel(topic: str, message_type: str, qos: Sequence[OfferedQos] = (), name: str = "") -> Channel:
    """A channel for a message of an installed package.

    Raises:
        JournalError: no installed package defines the message.
    """
    text, digest = definition(message_type), type_hash(message_type)
    return Channel(topic, message_type, text, digest, offered_qos_yaml(qos), name)


class BagFile:
    """Writes an .mcap file and, when it is whole, metadata.yaml beside it (rosbag2, version 8).

    Not thread-safe: one thread writes.
    """

    def __init__(
        self, path: Path, channels: Sequence[Channel], episode: Mapping[str, str], suffix: str = PARTIAL
    ) -> None:
        """Open the file under its temporary name.

        Args:
            path: the final name; its directory exists.
            channels: topics of the file; write() refers to them by index.
            episode: what is to be recorded, for the file's head.
            suffix: added to the name until the file is whole.

        Raises:
            OSError: the file exists already, or can't be made; then there is none.
        """
        definitions = {channel.type: channel.definition.encode() for channel in channels}
        self._channels = tuple(channels)
        self.path = path
        self.partial = path.with_name(path.name + suffix)
        self._file = DiskFile(self.partial)
        try:
            self._begin(definitions, episode)
        except BaseException:  # as on a full disk: neither the file's lock nor its name may outlive the attempt
            self._file.close()
            self.partial.unlink(missing_ok=True)
            raise

    def _begin(self, definitions: Mapping[str, bytes], episode: Mapping[str, str]) -> None:
        self._writer = Writer(self._file, chunk_size=CHUNK_BYTES, compression=CompressionType.ZSTD)  # type: ignore[arg-type]
        self._writer.start(profile="ros2", library="frs")
        self._writer.add_metadata(EPISODE_RECORD, dict(episode))
        self._episode = dict(episode)
        schemas = {
            name: self._writer.register_schema(name, SchemaEncoding.ROS2, text) for name, text in definitions.items()
        }
        self._ids = [
            self._writer.register_channel(
                channel.topic,
                MessageEncoding.CDR,
                schemas[channel.type],
                {"offered_qos_profiles": channel.qos, "topic_type_hash": channel.type_hash}
                | ({NAME: channel.name} if channel.name else {}),
            )
            for channel in self._channels
        ]
        self._counts = [0] * len(self._channels)
        self._first = self._last = 0
        # The first chunk also holds the definitions and the channels.
        self._pending = sum(map(len, definitions.values())) + _CHANNEL_BYTES * (len(self._channels) + len(definitions))
        self._whole = self._file.tell()
        self._whole_counts = list(self._counts)

    @property
    def messages(self) -> int:
        """Messages taken so far, those of the chunk in progress included."""
        return sum(self._counts)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self._file.tell()

    def write(self, channel: int, data: bytes, log_time: int, publish_time: int) -> None:
        """Add one message.

        Args:
            channel: index into the channels.
            data: the message as CDR.
            log_time: ns since the epoch, of receipt.
            publish_time: ns since the epoch, of sending.

        Raises:
            OSError: the disk refused; the file still ends with its last whole chunk once abandon() was called.
        """
        size = len(data) + _MESSAGE_OVERHEAD
        if self._pending + size > CHUNK_BYTES:
            self.flush()
        self._writer.add_message(self._ids[channel], log_time, data, publish_time)
        self._pending += size
        self._first = log_time if self.messages == 0 else min(self._first, log_time)
        self._last = max(self._last, log_time)
        self._counts[channel] += 1

    def flush(self) -> None:
        """End the chunk in progress and hand it to the system, from where a killed process can't take it back."""
        ended = self.messages > sum(self._whole_counts)
        self._writer.flush()
        self._whole = self._file.tell()
        self._whole_counts = list(self._counts)
        if ended:  # without a message there is no chunk, and the definitions wait for the first
            self._pending = 0

    def describe(self, name: str, content: Mapping[str, str]) -> None:
        """Add a metadata record, which is in the system's hands like all before it on return.

        Raises:
            OSError: the disk refused; call abandon().
        """
        self._writer.add_metadata(name, dict(content))
        self.flush()

    def finish(self, result: Mapping[str, str]) -> None:
        """Write the summary, sync, give the file its name, and put metadata.yaml beside it.

        Args:
            result: label and losses, for the file's metadata record.

        Raises:
            OSError: the disk refused; call abandon().
        """
        self.flush()
        information = self._information(result)
        self._writer.add_metadata(RESULT_RECORD, dict(result))
        # Stock tools given the bare file take the metadata from here.
        self._writer.add_metadata(ROSBAG2_RECORD, {"serialized_metadata": yaml.safe_dump(information, sort_keys=False)})
        self._writer.finish()
        metadata = self.path.with_name("metadata.yaml")
        draft = metadata.with_suffix(".yaml.tmp")
        draft.write_text(yaml.safe_dump({"rosbag2_bagfile_information": information}, sort_keys=False))
        self._file.sync()
        os.replace(self.partial, self.path)
        os.replace(draft, metadata)
        self._file.close()  # last, for it ends the lock: who waits for a partial file must not find this one

    def abandon(self) -> list[int]:
        """Give up after an error: cut the partial file behind its last whole chunk and close it.

        Returns:
            How many messages of each channel were taken but are not in the file.
        """
        with contextlib.suppress(OSError):
            self._file.cut(self._whole)
        with contextlib.suppress(OSError):
            self._file.close()
        lost = [taken - kept for taken, kept in zip(self._counts, self._whole_counts, strict=True)]
        self._counts = list(self._whole_counts)
        return lost

    def _information(self, result: Mapping[str, str]) -> dict[str, object]:
        return {
            "version": _BAG_VERSION,
            "storage_identifier": "mcap",
            **self._extent(),
            "topics_with_message_count": [
                {
                    "topic_metadata": {
                        "name": channel.topic,
                        "type": channel.type,
                        "serialization_format": "cdr",
                        "offered_qos_profiles": channel.qos,
                        "type_description_hash": channel.type_hash,
                    },
                    "message_count": count,
                }
                for channel, count in zip(self._channels, self._counts, strict=True)
            ],
            "compression_format": "",
            "compression_mode": "",
            "relative_file_paths": [self.path.name],
            "files": [{"path": self.path.name, **self._extent()}],
            "custom_data": {**self._episode, **result},
            "ros_distro": os.environ.get("ROS_DISTRO", "unknown"),
        }

    def _extent(self) -> dict[str, object]:
        # Built anew for each use: YAML would write a shared one as an alias.
        return {
            "duration": {"nanoseconds": self._last - self._first},
            "starting_time": {"nanoseconds_since_epoch": self._first},
            "message_count": self.messages,
        }
