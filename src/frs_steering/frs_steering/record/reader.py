"""Reading episodes back: a summary, the messages decoded, the images as arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mcap.records import Channel
from mcap_ros2.decoder import DecoderFactory

from frs_steering.record.bag import EPISODE_RECORD, RESULT_RECORD
from frs_steering.record.errors import JournalError
from frs_steering.record.images import decode_jpeg
from frs_steering.record.scan import Scan, locate


@dataclass(frozen=True)
class TopicSummary:
    """One topic of a file: full name, message type, number of messages."""

    name: str
    type: str
    count: int


@dataclass(frozen=True)
class Summary:
    """What a file holds.

    Attributes:
        path: the file.
        size: bytes on disk.
        topics: sorted by name.
        start: ns since the epoch, receipt of the first message; 0 without messages.
        end: ns since the epoch, receipt of the last message.
        episode: what was to be recorded: "episode_id", "task", "instruction", "seed".
        result: "label", "note", "dropped_control", "dropped_images"; empty where the recorder died.
        damage: what could not be read, a line each; empty for a whole file.
    """

    path: Path
    size: int
    topics: tuple[TopicSummary, ...]
    start: int
    end: int
    episode: dict[str, str]
    result: dict[str, str]
    damage: tuple[str, ...]

    @property
    def messages(self) -> int:
        """Number of messages."""
        return sum(topic.count for topic in self.topics)

    @property
    def duration(self) -> float:
        """Time from the first message to the last, s."""
        return (self.end - self.start) * 1e-9

    def count(self, name: str) -> int:
        """Number of messages on a topic, named without its namespace."""
        return sum(topic.count for topic in self.topics if same_topic(topic.name, name))


@dataclass(frozen=True)
class Record:
    """One message of a file.

    Attributes:
        topic: full name.
        type: full name of the message, e.g. "frs_msgs/msg/ArmState".
        log_time: ns since the epoch, of receipt.
        publish_time: ns since the epoch, of sending.
        message: an object with the message's fields as attributes.
    """

    topic: str
    type: str
    log_time: int
    publish_time: int
    message: Any


def same_topic(full: str, name: str) -> bool:
    """Whether a topic's full name is `name` in some namespace: "/lab/arm_state" is "arm_state"."""
    return full == name or full.endswith(f"/{name}")


def summarise(path: Path) -> Summary:
    """Read a file, or an episode's directory, through and say what it holds.

    Raises:
        JournalError: missing, empty, not MCAP, or not written by ROS 2.
    """
    scan = Scan(locate(path))
    counts: Counter[int] = Counter()
    first, last = 0, 0
    for _, channel, message in scan:
        first = min(first or message.log_time, message.log_time)
        last = max(last, message.log_time)
        counts[channel.id] += 1
    topics = [TopicSummary(c.topic, _type(scan, c), counts[c.id]) for c in scan.channels.values()]
    return Summary(
        scan.path,
        scan.path.stat().st_size,
        tuple(sorted(topics, key=lambda topic: topic.name)),
        first,
        last,
        scan.metadata.get(EPISODE_RECORD, {}),
        scan.metadata.get(RESULT_RECORD, {}),
        tuple(scan.damage),
    )


def records(path: Path, names: Iterable[str] | None = None) -> Iterator[Record]:
    """Yield the messages of a file, or of an episode's directory, decoded, in the order of the file.

    What is damaged is passed over; summarise() names it.

    Args:
        path: of the file or the directory.
        names: topics without their namespace; None for all.

    Raises:
        JournalError: missing, empty, not MCAP, not written by ROS 2, or a message that doesn't fit its definition.
    """
    wanted = None if names is None else tuple(names)
    factory = DecoderFactory()
    chosen: dict[int, bool] = {}
    scan = Scan(locate(path))
    for schema, channel, message in scan:
        if channel.id not in chosen:
            chosen[channel.id] = wanted is None or any(same_topic(channel.topic, name) for name in wanted)
        if not chosen[channel.id]:
            continue
        decode = factory.decoder_for(channel.message_encoding, schema)
        if decode is None:
            raise JournalError(
                f"{scan.path}: {channel.topic} is {channel.message_encoding} of {schema.encoding}; no CDR"
            )
        try:
            content = decode(message.data)
        except Exception as error:  # the decoder is generated code and raises whatever the bytes make it stumble over
            raise JournalError(
                f"{scan.path}: a message on {channel.topic} does not fit the definition of {schema.name}: {error!r}"
            ) from error
        yield Record(channel.topic, schema.name, message.log_time, message.publish_time, content)


def image(record: Record) -> np.ndarray:
    """Decode a record of sensor_msgs/msg/CompressedImage into (height, width, 3) uint8 RGB.

    Raises:
        JournalError: its data is no image.
    """
    try:
        return decode_jpeg(bytes(record.message.data))
    except JournalError as error:
        raise JournalError(f"{record.topic}: {error}") from error


def _type(scan: Scan, channel: Channel) -> str:
    schema = scan.schemas.get(channel.schema_id)
    return schema.name if schema else "?"
