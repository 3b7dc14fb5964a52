"""One child process: its own process group, its output line by line, an end that leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence

_LAST_WORDS = 1.0  # s for output still in the pipe; something that left the group may hold the pipe open


class Supervised:
    """A running child.

    It leads a session of its own, so that a Ctrl-C at the terminal reaches it through the starter alone, and
    what it started itself ends with it. A child that owns the terminal stays in the starter's group instead:
    only the foreground group may read keys. Either kind gets SIGINT should the starter die.
    """

    def __init__(self, command: Sequence[str], on_line: Callable[[str], None], *, terminal: bool = False) -> None:
        """Start it. The calling thread must outlive the child: the kernel's death signal is tied to the thread.

        Args:
            command: executable and arguments.
            on_line: called from a thread of its own with every line of stdout and stderr.
            terminal: it takes over stdin, stdout and stderr; on_line is not called.

        Raises:
            OSError: it can't be started.
        """
        self._lock = threading.Lock()
        self._gone = threading.Event()
        self._own_group = not terminal
        self._process = subprocess.Popen(
            [*_death_signal(), *command],
            stdin=None if terminal else subprocess.DEVNULL,
            stdout=None if terminal else subprocess.PIPE,
            stderr=None if terminal else subprocess.STDOUT,
            start_new_session=self._own_group,
            text=True,
            errors="replace",
            bufsize=1,
        )
        self._reader = threading.Thread(target=self._read, args=(on_line,), daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Of the child, and of its process group where it leads one."""
        return self._process.pid

    def wait(self) -> int:
        """Wait for its end, and end what is left of its group; returns its status, -N where signal N ended it."""
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:  # not reaped yet, so nobody else can have got its pid
            if self._own_group:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)
            status = self._process.wait()
            self._gone.set()
        self._reader.join(_LAST_WORDS)
        return status

    def send(self, number: signal.Signals) -> None:
        """Send a signal to its group, or to it alone where it owns the terminal; nothing if it has ended."""
        with self._lock:
            if not self._gone.is_set():
                with contextlib.suppress(ProcessLookupError):
                    (os.killpg if self._own_group else os.kill)(self.pid, number)

    def gone(self, seconds: float) -> bool:
        """Wait that long for its end (some thread must be in wait()); returns whether it has ended."""
        return self._gone.wait(max(0.0, seconds))

    def _read(self, on_line: Callable[[str], None]) -> None:
        if self._process.stdout is not None:
            with self._process.stdout as lines:
                for line in lines:
                    on_line(line.rstrip("\n"))


def _death_signal() -> list[str]:
    # util-linux; only other kinds of system lack it, and there an orphan is stopped by hand.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT", "--"] if setpriv else []
