"""Reading episodes back: a summary, the messages decoded, the images as arrays."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
from mcap.records import Channel, Message, Schema
from mcap_ros2.decoder import DecoderFactory

from frs_steering.record.bag import EPISODE_RECORD, NAME, RESULT_RECORD
from frs_steering.record.configuration import Configuration, configuration
from frs_steering.record.errors import JournalError
from frs_steering.record.images import decode_jpeg
from frs_steering.record.scan import Scan, locate

_INSTRUCTION = "instruction"
_EVERYWHERE = ("arm_state", "decision", _INSTRUCTION, "policy_info")  # of which every episode has one, under its name


@dataclass(frozen=True)
class TopicSummary:
    """One topic of a file: full name, message type, number of messages, and the name of `record.topics`."""

    name: str
    type: str
    count: int
    known_as: str


@dataclass(frozen=True)
class Summary:
    """What a file holds.

    Attributes:
        path: the file.
        size: bytes on disk.
        topics: sorted by name.
        start: ns since the epoch, receipt of the first message; 0 without messages.
        end: ns since the epoch, receipt of the last message.
        episode: what was to be recorded: "episode_id", "task", "instruction", "seed". Where the recorder was told no
            instruction, it is the first that was said.
        result: "label", "note", "dropped_control", "dropped_images", and the "operator" who labelled it, if one did;
            empty where the recorder died.
        configuration: every node's parameters, and the versions.
        damage: what could not be read, a line each; empty for a whole file.
    """

    path: Path
    size: int
    topics: tuple[TopicSummary, ...]
    start: int
    end: int
    episode: dict[str, str]
    result: dict[str, str]
    configuration: Configuration
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
        """Number of messages on a topic, named as in `record.topics` (stored_name)."""
        return sum(topic.count for topic in self.topics if topic.known_as == name)


@dataclass(frozen=True)
class Record:
    """One message of a file.

    Attributes:
        topic: full name.
        known_as: name of `record.topics`, without the namespace and whatever it was remapped to.
        type: full name of the message, e.g. "frs_msgs/msg/ArmState".
        log_time: ns since the epoch, of receipt.
        publish_time: ns since the epoch, of sending.
        message: an object with the message's fields as attributes.
    """

    topic: str
    known_as: str
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
    first, last, told = 0, 0, ""
    file = _File(scan)
    for schema, channel, message in scan:
        first = min(first or message.log_time, message.log_time)
        last = max(last, message.log_time)
        counts[channel.id] += 1
        if not told and file.known_as(channel) == _INSTRUCTION:
            with contextlib.suppress(JournalError):  # one that doesn't decode: whoever reads the messages is told
                told = str(getattr(file.decoded(schema, channel, message), "data", ""))
    episode = dict(scan.metadata.get(EPISODE_RECORD, {}))
    if told and not episode.get(_INSTRUCTION):
        episode[_INSTRUCTION] = told
    topics = [TopicSummary(c.topic, _type(scan, c), counts[c.id], file.known_as(c)) for c in scan.channels.values()]
    return Summary(
        scan.path,
        scan.path.stat().st_size,
        tuple(sorted(topics, key=lambda topic: topic.name)),
        first,
        last,
        episode,
        scan.metadata.get(RESULT_RECORD, {}),
        configuration(scan.metadata),
        tuple(scan.damage),
    )


def records(path: Path, names: Iterable[str] | None = None) -> Iterator[Record]:
    """Yield the messages of a file, or of an episode's directory, decoded, in the order of the file.

    What is damaged is passed over; summarise() names it.

    Args:
        path: of the file or the directory.
        names: topics, named as in `record.topics` (stored_name); None for all.

    Raises:
        JournalError: missing, empty, not MCAP, not written by ROS 2, or a message that doesn't fit its definition.
    """
    wanted = None if names is None else frozenset(names)
    scan = Scan(locate(path))
    file = _File(scan)
    for schema, channel, message in scan:
        name = file.known_as(channel)
        if wanted is None or name in wanted:
            content = file.decoded(schema, channel, message)
            yield Record(channel.topic, name, schema.name, message.log_time, message.publish_time, content)


class _File:
    """What the topics of a file are called in `record.topics`, and its messages decoded."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._found: dict[int, str] = {}
        self._factory = DecoderFactory()

    def known_as(self, channel: Channel) -> str:
        """As the recorder wrote it, else without the namespace that the file's topics share."""
        if channel.id not in self._found:
            self._found[channel.id] = channel.metadata.get(NAME) or self._stripped(channel.topic)
        return self._found[channel.id]

    def _stripped(self, topic: str) -> str:
        topics = [channel.topic for channel in self._scan.channels.values()]
        for name in _EVERYWHERE:
            spaces = [other.removesuffix(name) for other in topics if same_topic(other, name)]
            if spaces:
                return topic.removeprefix(min(spaces, key=len))
        return topic.removeprefix("/")

    def decoded(self, schema: Schema, channel: Channel, message: Message) -> Any:
        """A message's fields; JournalError where it doesn't fit its definition."""
        where = f"{self._scan.path}: a message on {channel.topic}"
        try:
            decode = self._factory.decoder_for(channel.message_encoding, schema)
            if decode is not None:
                return decode(message.data)
        except Exception as error:  # generated code, which raises whatever the bytes make it stumble over
            why = shorten(repr(error), 200)
            raise JournalError(f"{where} does not fit the definition of {schema.name}: {why}") from error
        raise JournalError(f"{where} is {channel.message_encoding} of {schema.encoding}; no CDR")


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
