"""The terminal that frs runs in: its signals, and its settings, left as found whatever a node did to them."""

from __future__ import annotations

import os
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def kept_terminal() -> Iterator[None]:
    """Put the terminal's settings back at the end: a screen that was killed leaves it without echo."""
    try:
        settings = termios.tcgetattr(sys.stdin)
    except (termios.error, ValueError, OSError):  # stdin is no terminal
        yield
        return
    try:
        yield
    finally:
        if os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp():  # in the background the kernel would stop us for it
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, settings)


@contextmanager
def ending_on_signals(end: Callable[[], None]) -> Iterator[list[int]]:
    """Have `end` called on SIGINT, SIGTERM and SIGHUP; yields the list of those that came."""
    came: list[int] = []

    def note(number: int, _frame: object) -> None:
        came.append(number)
        end()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
