"""The terminal as the screen's own for a while: nothing else writes into it, and it is always given back as it was."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

LEAVE_SCREEN = b"\x1b[?2004l\x1b[?1004l\x1b[<u\x1b[?7h\x1b[?1049l\x1b[?25h"
"""Ends what a textual screen switches on: paste and focus reports, keyboard protocol, alternate screen; shows the
cursor (see `stop_application_mode` of textual's Linux driver)."""

PATIENCE = {signal.SIGINT: 1.5, signal.SIGTERM: 1.5, signal.SIGHUP: 0.8}
"""s after a signal until the process is ended by force. A terminal that takes no more output blocks the screen; one
that is gone (SIGHUP) needs no screen put away."""


def is_terminal() -> bool:
    """Whether keys can be read from, and a screen be written to, the standard streams."""
    return all(stream is not None and stream.isatty() for stream in (sys.__stdin__, sys.__stdout__))


@contextlib.contextmanager
def own_terminal(tell: Callable[[str], None]) -> Iterator[None]:
    """Reserve the terminal for textual, which draws on `sys.__stderr__` and asks `sys.__stdout__` for the size.

    Whatever else is written to file descriptors 1 and 2 meanwhile (logs of ROS and DDS, tracebacks) would garble the
    screen, so it goes line by line to `tell`, called from a thread. On the way out the terminal's mode is set
    back and the descriptors are what they were.
    """
    mode = termios.tcgetattr(sys.__stdin__.fileno())  # type: ignore[union-attr]
    kept = {number: os.dup(number) for number in (1, 2)}
    streams = sys.__stdout__, sys.__stderr__
    read_end, write_end = os.pipe()
    reader = threading.Thread(target=_pass_lines, args=(read_end, tell), name="stray output", daemon=True)
    with os.fdopen(kept[1], "w", encoding="utf-8", closefd=False) as screen:
        sys.__stdout__ = sys.__stderr__ = screen  # type: ignore[misc]
        for number in kept:
            os.dup2(write_end, number)
        os.close(write_end)
        reader.start()
        try:
            yield
        finally:
            for stream in (sys.stdout, sys.stderr, screen):
                stream.flush()
            sys.__stdout__, sys.__stderr__ = streams  # type: ignore[misc]
            for number, copy in kept.items():
                os.dup2(copy, number)  # closes the pipe's last write end, and so ends the reader
                os.close(copy)
            reader.join(timeout=0.5)
            with contextlib.suppress(termios.error):
                termios.tcsetattr(sys.__stdin__.fileno(), termios.TCSANOW, mode)  # type: ignore[union-attr]


def stop_on_signals(stop: threading.Event) -> None:
    """Set `stop` on SIGINT, SIGTERM and SIGHUP; end the process by force if it is still there after its PATIENCE."""
    mode = termios.tcgetattr(sys.__stdin__.fileno())  # type: ignore[union-attr]

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if not stop.is_set():
            stop.set()
            watchdog = threading.Timer(PATIENCE[signal.Signals(number)], _give_up, args=(mode,))
            watchdog.daemon = True
            watchdog.start()

    for number in PATIENCE:
        signal.signal(number, on_signal)


def _give_up(mode: list[Any]) -> None:
    # A fresh, non-blocking description of the terminal: the shared one may be what everything waits for.
    with contextlib.suppress(OSError, termios.error):
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
        termios.tcsetattr(terminal, termios.TCSANOW, mode)
        os.write(terminal, LEAVE_SCREEN)
    os._exit(1)


def _pass_lines(read_end: int, tell: Callable[[str], None]) -> None:
    with os.fdopen(read_end, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.strip():
                tell(line.strip())
