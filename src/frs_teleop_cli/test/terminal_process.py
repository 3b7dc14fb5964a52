"""A process in a pseudo-terminal of its own, as a person's shell would start it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import struct
import subprocess
import termios
import threading
import time


class TerminalProcess:
    """Starts `command` in the foreground of a new terminal of 80x24 and collects what it draws."""

    def __init__(self, *command: str) -> None:
        self.keyboard, self._screen = os.openpty()
        fcntl.ioctl(self.keyboard, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.mode = termios.tcgetattr(self._screen)
        self.process = subprocess.Popen(
            command,
            stdin=self._screen,
            stdout=self._screen,
            stderr=self._screen,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**os.environ, "TERM": "xterm-256color"},
        )
        self.reading = True
        self._drawn = bytearray()
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def drawn(self) -> str:
        """Everything that was written to the terminal so far."""
        with self._changed:
            return self._drawn.decode(errors="replace")

    def press(self, keys: bytes) -> None:
        """Send key presses as the terminal would."""
        os.write(self.keyboard, keys)

    def wait_for(self, text: str, timeout: float = 15.0) -> None:
        """Wait until `text` was drawn in one piece."""
        with self._changed:
            found = self._changed.wait_for(lambda: text.encode() in self._drawn, timeout)
        assert found, f"{text!r} was not drawn within {timeout} s; drawn: {self.drawn[-2000:]}"

    def end(self, number: int | None = None, timeout: float = 5.0) -> tuple[int, float]:
        """Send a signal (None: none), wait for the end, and return exit status and the seconds it took."""
        began = time.monotonic()
        if number is not None:
            self.process.send_signal(number)
        status = self.process.wait(timeout)
        return status, time.monotonic() - began

    def restored(self) -> bool:
        """Whether the terminal's mode is what it was before the start."""
        return termios.tcgetattr(self._screen) == self.mode

    def block_output(self) -> None:
        """Let the terminal take no more output, as a connection that hangs, or Ctrl+S, does."""
        termios.tcflow(self._screen, termios.TCOOFF)

    def hang_up(self) -> None:
        """Take the terminal away, as a broken connection does."""
        self.reading = False
        self._reader.join()
        os.close(self._screen)
        os.close(self.keyboard)
        self.keyboard = self._screen = -1

    def close(self) -> None:
        """Kill what is left and close the terminal."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.keyboard >= 0:
            self.hang_up()

    def _read(self) -> None:
        while self.reading:
            if not select.select([self.keyboard], [], [], 0.05)[0]:
                continue
            with contextlib.suppress(OSError), self._changed:
                self._drawn += os.read(self.keyboard, 65536)
                self._changed.notify_all()
