"""Publishing that can wait, on a thread of its own: what moves the arm must not wait for those who only listen.

A publisher of the middleware can block, for instance for 0.9 s after a listener was killed (docs/decisions.md).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

MOST = 1000
"""Messages that may wait: 30 s of a controller's. Beyond that the oldest go, and are counted."""


class Teller:
    """Carries out what it is given, in order. Of what is lost at its end nobody hears.

    Attributes:
        lost: how many were thrown away because too many waited.
    """

    def __init__(self, on_error: Callable[[Exception], None]) -> None:
        """Begin; `on_error` is called, on the thread, with what a message raised."""
        self.lost = 0
        self._on_error = on_error
        self._waiting: queue.Queue[Callable[[], None] | None] = queue.Queue(MOST)
        self._thread = threading.Thread(target=self._run, name="teller", daemon=True)
        self._thread.start()

    def tell(self, say: Callable[[], None]) -> None:
        """Have it said soon. Never blocks. To be called from one thread alone."""
        self._put(say)

    def close(self, timeout: float) -> None:
        """Say what still waits, for `timeout` s at most."""
        self._put(None)
        self._thread.join(timeout)

    def _put(self, what: Callable[[], None] | None) -> None:
        while True:
            try:
                return self._waiting.put_nowait(what)
            except queue.Full:
                self.lost += 1
                try:
                    self._waiting.get_nowait()
                except queue.Empty:  # it has just been said
                    self.lost -= 1

    def _run(self) -> None:
        while (say := self._waiting.get()) is not None:
            try:
                say()
            except Exception as error:
                self._on_error(error)
