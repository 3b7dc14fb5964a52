"""The file under a bag: unbuffered, so that what was written survives the process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from frs_steering.record.errors import JournalError

BYTES_PER_SECOND = 1e6
"""What recording is reckoned to take before it was measured: the simulated cell's two cameras take a fifth of it."""

MEASURED_AFTER = 10.0
"""s of a recording after which its rate counts: latched state and definitions come at its beginning."""


class Room:
    """For how long a disk has room, at the rate of the last recording that was long enough to measure.

    Attributes:
        directory: of the recordings; it need not exist yet.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._rate = BYTES_PER_SECOND

    def wrote(self, size: int, seconds: float) -> None:
        """A recording has so many bytes after so many s."""
        if seconds >= MEASURED_AFTER and size > 0:
            self._rate = size / seconds

    def minutes(self) -> float:
        """Minutes of recording for which there is room.

        Raises:
            OSError: the disk can't be asked.
        """
        there = next(place for place in (self.directory, *self.directory.parents) if place.exists())
        return shutil.disk_usage(there).free / self._rate / 60.0

    def complaint(self, least: float) -> str:
        """What is wrong if there must be room for `least` minutes; empty if nothing is."""
        try:
            minutes = self.minutes()
        except OSError as error:
            return f"can't write to {self.directory}: {error.strerror or error}"
        return f"the disk of {self.directory} has room for {minutes:.0f} minutes" if minutes < least else ""


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a recording's file, as its writer does while it writes, so that nobody else changes it meanwhile.

    Raises:
        JournalError: it is being written, was finished this very moment, or can't be held.
        OSError: it can't be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)  # NFS locks only what is open for writing
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(f"{path} is being written; it can be changed once its recording has ended") from None
        except OSError as error:
            raise JournalError(
                f"{path} can't be locked ({error.strerror}), and so may be being written; copy it to another disk first"
            ) from error
        if not path.exists() or not os.path.samestat(os.fstat(descriptor), path.stat()):
            raise JournalError(f"{path} was finished or replaced this very moment; look again")
        yield
    finally:
        os.close(descriptor)


def being_written(path: Path) -> bool:
    """Whether a writer holds a recording's file."""
    try:
        with held(path):
            return False
    except JournalError:
        return True
    except OSError:  # may not be opened for writing: its writer would be another's process, which nobody can ask
        return False


class DiskFile:
    """A new file without a buffer of its own: what write() returned from is in the system's hands, all of it.

    It is locked (flock) until it is closed or its process ends, however it ends. Every method raises OSError where the
    disk refuses, the constructor also where the file exists.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        with contextlib.suppress(OSError):  # a disk without locks records all the same; held() refuses there
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        self._size = 0

    def write(self, data: bytes) -> int:
        """Write all of `data`; one call of the system may take only part of it."""
        view = memoryview(data)
        while view:
            written = os.write(self._descriptor, view)
            self._size += written
            view = view[written:]
        return len(data)

    def tell(self) -> int:
        """Size in bytes; the file only grows at its end."""
        return self._size

    def flush(self) -> None:
        """Nothing to do; mcap's writer calls it."""

    def sync(self) -> None:
        """Wait until the disk itself has everything."""
        os.fsync(self._descriptor)

    def cut(self, size: int) -> None:
        """Shorten the file to `size` bytes."""
        os.ftruncate(self._descriptor, size)
        self._size = size

    def close(self) -> None:
        """Close; a second call raises instead of hitting a number that another file got meanwhile."""
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)
