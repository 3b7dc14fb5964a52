"""A wall clock that a test can turn, for processes started meanwhile; the machine's own is left alone."""

from __future__ import annotations

import mmap
import os
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class WallClock:
    """How many seconds ahead the processes' wall clock is."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(8))
        with path.open("r+b") as file:
            self._mapped = mmap.mmap(file.fileno(), 8)

    def set_ahead(self, seconds: int) -> None:
        """Turn the clock."""
        self._mapped[:] = struct.pack("=q", seconds)


@contextmanager
def turnable(directory: Path) -> Iterator[WallClock]:
    """Give every process that is started in this context a clock that can be turned."""
    library, ahead = directory / "wall_clock.so", directory / "wall_clock_ahead"
    source = Path(__file__).with_name("wall_clock.c")
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    clock = WallClock(ahead)
    before = {name: os.environ.get(name) for name in ("LD_PRELOAD", "FRS_WALL_CLOCK_AHEAD")}
    os.environ.update(LD_PRELOAD=str(library), FRS_WALL_CLOCK_AHEAD=str(ahead))
    try:
        yield clock
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
