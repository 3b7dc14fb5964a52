"""What is shown: the nodes' output, prefixed to the terminal or in one file a node, and how far a run is."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

WARN_PERIOD = 10.0
"""s between two kept lines about what is amiss; its words change from one moment to the next."""

PROGRESS_PERIOD = 5.0
"""s between two lines of progress where there is no terminal."""

_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)  # of ANSI; red is left to errors


class PrefixedOutput:
    """Prints every line behind its node's name, in a colour of the node's own where the stream is a terminal."""

    def __init__(self, names: Sequence[str], stream: TextIO = sys.stdout) -> None:
        """Nodes that come, and the stream to print to."""
        self._width = max(map(len, names), default=0)
        self._colours = {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}
        self._stream = stream
        self._lock = threading.Lock()

    def __call__(self, name: str, line: str) -> None:
        """Print one line."""
        prefix = f"[{name}]".ljust(self._width + 2)
        if self._stream.isatty():
            prefix = f"\x1b[{self._colours[name]}m{prefix}\x1b[0m"
        with self._lock:
            print(prefix, line, file=self._stream, flush=True)


class LogFiles:
    """Writes every node's lines to DIRECTORY/NAME.log."""

    def __init__(self, names: Sequence[str], directory: Path) -> None:
        """Nodes that come, and the directory, made where missing; raises OSError where it can't be written."""
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self._files = {name: (directory / f"{name}.log").open("a", buffering=1) for name in names}

    def __call__(self, name: str, line: str) -> None:
        """Write one line."""
        self._files[name].write(line + "\n")

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()


class ProgressLine:
    """How far something is: one line that changes where the stream is a terminal, else a line now and then."""

    def __init__(self, stream: TextIO = sys.stdout, *, silent: bool = False) -> None:
        """The stream; `silent` where the terminal is somebody else's meanwhile."""
        self._stream = stream
        self._silent = silent
        self._live = stream.isatty()
        self._next = 0.0  # monotonic s, for the next line where there is no terminal
        self._open = False

    def show(self, text: str, *, keep: bool = False) -> None:
        """Show the state; `keep` it on a line of its own."""
        if self._silent:
            return
        if self._live:
            # A line that wraps could not be overwritten.
            shown = text if keep else text[: shutil.get_terminal_size().columns - 1]
            print(f"\r\x1b[K{shown}", end="\n" if keep else "", file=self._stream, flush=True)
            self._open = not keep
        elif keep or time.monotonic() >= self._next:
            print(text, file=self._stream, flush=True)
            self._next = time.monotonic() + PROGRESS_PERIOD

    def end(self) -> None:
        """Go to a new line if the present one is begun."""
        if self._open:
            print(file=self._stream, flush=True)
            self._open = False


class Warnings:
    """What is amiss meanwhile, as lines that stay; one of them now and then is enough."""

    def __init__(self, line: ProgressLine) -> None:
        """Where to show it."""
        self._line = line
        self._next = 0.0  # monotonic s

    def show(self, text: str) -> None:
        """Show what is amiss; empty: nothing is."""
        if text and time.monotonic() >= self._next:
            self._line.show(f"warning: {text}", keep=True)
            self._next = time.monotonic() + WARN_PERIOD
