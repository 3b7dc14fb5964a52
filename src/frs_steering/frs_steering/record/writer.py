"""The journal's writer: bounded queues and a thread, so that recording never slows what is recorded."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

from frs_steering.record.bag import BagFile, Channel
from frs_steering.record.errors import JournalError
from frs_steering.record.images import compress_image
from frs_steering.record.topics import STORED_IMAGE

_FLUSH_PERIOD = 0.25  # s; bounds what a kill loses where messages are few
_EPISODE_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True)
class Episode:
    """What is to be recorded.

    Attributes:
        episode_id: name of the episode's directory and file; letters, digits, '-', '_' and '.'.
        task: name of the task.
        instruction: in words, as the policy gets it.
        seed: of the scene.

    Raises:
        JournalError: the id can't be a file's name.
    """

    episode_id: str
    task: str = ""
    instruction: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        if not _EPISODE_ID.fullmatch(self.episode_id):
            raise JournalError(
                f"episode_id is {self.episode_id!r}; it must be 1 to 128 letters, digits, '-', '_' or '.',"
                " and not begin with '.'"
            )


@dataclass(frozen=True)
class Limits:
    """How much may wait for the disk.

    Attributes:
        control_queue: control records; what comes beyond is lost and counted.
        image_queue: images, which wait for all control records; what comes beyond is left out and counted.
        jpeg_quality: 1..100.
    """

    control_queue: int = 20_000  # over a minute of a stalled disk at the graph's 250 records a second
    image_queue: int = 60  # 2 s of two cameras
    jpeg_quality: int = 90


@dataclass(frozen=True)
class Progress:
    """How far a recording is.

    Attributes:
        path: of the file being written, or written.
        messages: taken into the file.
        size: bytes on disk.
        dropped_control: control records lost.
        dropped_images: images left out under load, or that could not be compressed.
        failure: why the file can't go on, in words; "" while it can.
        complaint: the last image that could not be compressed, in words.
        whole: the file is finished and has its final name.
    """

    path: Path
    messages: int
    size: int
    dropped_control: int
    dropped_images: int
    failure: str
    complaint: str
    whole: bool


class _Item(NamedTuple):
    channel: int
    data: bytes
    log_time: int
    publish_time: int
    image: bool


class JournalWriter:
    """Records one episode: put() never waits, a thread of its own compresses and writes.

    A disk that refuses ends the recording, not the process: the file keeps its whole chunks under its
    partial name, `progress().failure` says why, and everything that comes later counts as lost.
    """

    def __init__(self, directory: Path, episode: Episode, channels: Sequence[Channel], limits: Limits) -> None:
        """Open the file and start the thread.

        Args:
            directory: holds the episodes' directories.
            episode: what is to be recorded.
            channels: topics of the file; put() refers to them by index.
            limits: of the queues.

        Raises:
            JournalError: the episode exists already.
            OSError: the disk refuses; nothing is left of the episode, so that it can be tried again.
        """
        folder = directory / episode.episode_id
        try:
            folder.mkdir(parents=True)
        except FileExistsError as error:
            raise JournalError(f"{folder} exists already; each episode needs an id of its own") from error
        head = {key: str(value) for key, value in asdict(episode).items()}
        try:
            self._bag = BagFile(folder / f"{episode.episode_id}.mcap", channels, head)
        except OSError:
            with contextlib.suppress(OSError):
                folder.rmdir()
            raise
        self._channels = tuple(channels)
        self._limits = limits
        self._control: deque[_Item] = deque()
        self._images: deque[_Item] = deque()
        self._in_hand: _Item | None = None
        self._descriptions: deque[tuple[str, Mapping[str, str]]] = deque()
        self._dropped_control = 0
        self._dropped_images = 0
        self._failure = ""
        self._complaint = ""
        self._whole = False
        self._result: dict[str, str] | None = None  # set by close()
        self._images_until = float("inf")  # monotonic s, then images still waiting are left out
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def put(self, channel: int, data: bytes, log_time: int, publish_time: int, *, image: bool = False) -> None:
        """Hand over one message; returns at once.

        Args:
            channel: index into the channels.
            data: the message as CDR; for an image that of the raw sensor_msgs/Image.
            log_time: ns since the epoch, of receipt.
            publish_time: ns since the epoch, of sending.
            image: it is to be compressed, and may be left out under load.
        """
        with self._changed:
            if self._result is not None:
                return  # behind the end of the episode
            waiting = self._images if image else self._control
            if self._failure or len(waiting) >= (self._limits.image_queue if image else self._limits.control_queue):
                self._count_lost(image)
            else:
                waiting.append(_Item(channel, data, log_time, publish_time, image))
                self._changed.notify()

    def lost(self, count: int) -> None:
        """Count control records that were lost before they could be handed over; returns at once."""
        with self._changed:
            if self._result is None:
                self._count_lost(False, count)

    def describe(self, name: str, content: Mapping[str, str]) -> None:
        """Hand over a metadata record of the file; returns at once. One of a name is kept: the last."""
        with self._changed:
            if self._result is None and not self._failure:
                self._descriptions.append((name, dict(content)))

    def progress(self) -> Progress:
        """How far the recording is; from any thread."""
        with self._changed:
            return Progress(
                self._bag.path if self._whole else self._bag.partial,
                self._bag.messages,
                self._bag.size,
                self._dropped_control,
                self._dropped_images,
                self._failure,
                self._complaint,
                self._whole,
            )

    def close(self, label: str, note: str = "", operator: str = "", seconds: float = 10.0) -> Progress:
        """Write what waits, finish the file, and say how it went; what still waits then counts as lost.

        Args:
            label: of the episode: "succeeded", "failed", "stopped", "discarded" or "unlabelled".
            note: free text.
            operator: who says so; empty where nobody does.
            seconds: how long to try; images still waiting after half of it are left out and counted.
        """
        with self._changed:
            self._images_until = time.monotonic() + seconds / 2
            self._result = {"label": label, "note": note} | ({"operator": operator} if operator else {})
            self._changed.notify()
        self._thread.join(seconds)
        with self._changed:
            if not self._thread.is_alive() or self._failure:
                return self.progress()
            # Should the disk come back, the thread writes the rest, and the file then says what really was lost.
            self._failure = f"the disk did not take the rest within {seconds:g} s"
            images, done = sum(item.image for item in self._waiting()), self.progress()
            control = len(self._waiting()) - images
            return replace(
                done, dropped_control=done.dropped_control + control, dropped_images=done.dropped_images + images
            )

    def _run(self) -> None:
        try:
            self._write_all()
        except OSError as error:
            self._fail(f"{error.strerror or error} while writing {self._bag.partial}")
        finally:
            if not self._whole and not self._failure:  # a defect: it must reach the operator, not die in silence
                self._fail(f"the journal's thread died while writing {self._bag.partial}; its traceback is on stderr")

    def _write_all(self) -> None:
        flush_at = time.monotonic() + _FLUSH_PERIOD
        while True:
            self._describe_all()
            item = self._take(flush_at)
            if item is not None:
                self._write(item)
                self._in_hand = None  # the bag counts it from here on: a flush that fails must not lose it twice
            elif self._result is not None:
                self._finish(self._result)
                return
            if time.monotonic() >= flush_at:
                self._bag.flush()
                flush_at = time.monotonic() + _FLUSH_PERIOD

    def _describe_all(self) -> None:
        while self._descriptions:  # this thread alone takes them out
            self._bag.describe(*self._descriptions.popleft())

    def _finish(self, result: dict[str, str]) -> None:
        self._describe_all()
        losses = {"dropped_control": str(self._dropped_control), "dropped_images": str(self._dropped_images)}
        self._bag.finish({**result, **losses})
        self._whole = True

    def _take(self, until: float) -> _Item | None:
        with self._changed:
            while not self._control and not self._images and self._result is None:
                left = until - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(left)
            # Images take long to compress: what waits behind them would be lost with the process.
            waiting = self._control or self._images
            self._in_hand = waiting.popleft() if waiting else None
            return self._in_hand

    def _write(self, item: _Item) -> None:
        data = item.data
        if item.image:
            if time.monotonic() > self._images_until:
                with self._changed:
                    self._count_lost(image=True)
                return
            try:
                data = compress_image(item.data, self._limits.jpeg_quality)
            except JournalError as error:
                with self._changed:
                    self._count_lost(image=True)
                    self._complaint = str(error)
                return
        self._bag.write(item.channel, data, item.log_time, item.publish_time)

    def _fail(self, failure: str) -> None:
        with self._changed:
            self._failure = failure
            for item in self._waiting():
                self._count_lost(item.image)
            self._control.clear()
            self._images.clear()
            for channel, count in zip(self._channels, self._bag.abandon(), strict=True):
                self._count_lost(channel.type == STORED_IMAGE, count)

    # With the lock held

    def _waiting(self) -> list[_Item]:
        return [*self._control, *self._images, *([self._in_hand] if self._in_hand else [])]

    def _count_lost(self, image: bool, count: int = 1) -> None:
        if image:
            self._dropped_images += count
        else:
            self._dropped_control += count
