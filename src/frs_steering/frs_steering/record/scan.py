"""Reading MCAP files record by record, whole, cut short or damaged: what is whole is served, the rest is named."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from mcap.exceptions import McapError
from mcap.reader import make_reader
from mcap.records import Channel, Chunk, DataEnd, Header, Message, Metadata, Schema
from mcap.stream_reader import CRCValidationError, StreamReader, breakup_chunk
from mcap.writer import MCAP0_MAGIC
from zstandard import ZstdError

from frs_steering.record.bag import PARTIAL
from frs_steering.record.errors import JournalError

# What the libraries raise on damaged bytes; OverflowError and MemoryError come from offsets and sizes beyond reason.
_BROKEN = (
    McapError,
    CRCValidationError,
    ZstdError,
    struct.error,
    UnicodeDecodeError,
    ValueError,
    OverflowError,
    MemoryError,
)

_LARGEST_CHUNK = 2**30  # bytes, unpacked; a size beyond it is damage, and is not allocated


@dataclass
class Scan:
    """One pass over a file; iterate it to the end, then read the rest.

    Attributes:
        path: the file.
        metadata: MCAP metadata records by name.
        schemas: by id.
        channels: by id.
        damage: what could not be read, a line each; empty for a whole file.
        ended: the file's data section came to its proper end.
    """

    path: Path
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    schemas: dict[int, Schema] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    damage: list[str] = field(default_factory=list)
    ended: bool = False

    def __iter__(self) -> Iterator[tuple[Schema, Channel, Message]]:
        """Yield the messages of all chunks that are whole, in the order of the file.

        Raises:
            JournalError: empty, not MCAP, or not written by ROS 2.
            OSError: the file can't be read.
        """
        with _Clamped(io.FileIO(self.path)) as stream:
            _check_head(self.path, stream)
            summarised = self._read_summary(stream)
            stream.seek(0)
            yield from self._messages(stream)
        if self.ended and not summarised:
            self.damage.append("the summary at the end of the file is damaged; the messages are whole")

    def _messages(self, stream: IO[bytes]) -> Iterator[tuple[Schema, Channel, Message]]:
        size = self.path.stat().st_size
        records = StreamReader(stream, emit_chunks=True, record_size_limit=size).records
        while not self.ended:
            offset = stream.tell()
            try:
                record = next(records)
            except (*_BROKEN, StopIteration):
                if offset < size:
                    self.damage.append(f"{size - offset} bytes from offset {offset} on are not a whole record")
                else:
                    self.damage.append(f"the file ends at offset {offset} without its summary")
                return
            if isinstance(record, Header) and record.profile != "ros2":
                raise JournalError(f"{self.path} is MCAP of profile {record.profile!r}; 'ros2' is needed")
            if isinstance(record, Chunk):
                yield from self._chunk(record, offset)
            elif isinstance(record, Metadata):
                self.metadata[record.name] = dict(record.metadata)
            self.ended = isinstance(record, DataEnd)

    def _chunk(self, chunk: Chunk, offset: int) -> Iterator[tuple[Schema, Channel, Message]]:
        try:
            if chunk.uncompressed_size > _LARGEST_CHUNK:
                raise ValueError(f"{chunk.uncompressed_size} bytes unpacked")
            records = breakup_chunk(chunk, validate_crc=True)
        except _BROKEN as error:
            self.damage.append(f"chunk at offset {offset} is damaged: {error}")
            return
        unknown = 0
        for record in records:
            if isinstance(record, Schema):
                self.schemas[record.id] = record
            elif isinstance(record, Channel):
                self.channels[record.id] = record
            elif isinstance(record, Message):
                channel = self.channels.get(record.channel_id)
                schema = self.schemas.get(channel.schema_id) if channel else None
                if channel is None or schema is None:
                    unknown += 1
                else:
                    yield schema, channel, record
        if unknown:
            self.damage.append(f"chunk at offset {offset}: {unknown} messages whose definitions were lost")

    def _read_summary(self, stream: IO[bytes]) -> bool:
        # A whole file repeats its definitions at the end, which saves the rest when the first chunk is damaged.
        try:
            summary = make_reader(stream, validate_crcs=True).get_summary()
        except (*_BROKEN, OSError):  # OSError: the file is shorter than a summary's place at its end
            return False
        if summary is None:
            return False
        self.schemas.update(summary.schemas)
        self.channels.update(summary.channels)
        return True


class _Clamped(io.BufferedReader):
    """Reads no more than there is: read(n) reserves n bytes beforehand, and a damaged length may say petabytes."""

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, os.fstat(self.fileno()).st_size - self.tell())
        return super().read(left if size is None or size < 0 else min(size, left))


def scanned(path: Path) -> Scan:
    """A scan at its end: all of a file is known but its messages.

    Raises:
        JournalError: empty, not MCAP, or not written by ROS 2.
        OSError: the file can't be read.
    """
    scan = Scan(path)
    for _ in scan:
        pass
    return scan


def locate(path: Path) -> Path:
    """Find the file of an episode given its directory, its file, or its partial file.

    Raises:
        JournalError: nothing there, or more than one file.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        raise JournalError(f"{path} does not exist; an episode's directory or its .mcap file is needed")
    for pattern in ("*.mcap", f"*.mcap{PARTIAL}"):
        found = sorted(path.glob(pattern))
        if len(found) > 1:
            raise JournalError(f"{path} holds {len(found)} recordings; name one of {', '.join(f.name for f in found)}")
        if found:
            return found[0]
    raise JournalError(f"{path} holds no recording: no .mcap file in it")


def _check_head(path: Path, stream: IO[bytes]) -> None:
    head = stream.read(len(MCAP0_MAGIC))
    if not head:
        raise JournalError(f"{path} is empty: nothing was ever written to it")
    if head != MCAP0_MAGIC:
        raise JournalError(f"{path} is not an MCAP file: it begins with {head!r}")
    stream.seek(0)
