"""What the grippers share: a thread that follows the newest wish, and comes back whatever goes wrong."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod

RETRY = 0.5
"""s between two attempts to reach a gripper that is away."""
HANG = 1.0
"""s without a word of a gripper that followed, after which it hangs: a library's call for it may never return."""
LEAVE_TIME = 0.5
"""Longest wait for the thread to end [s]; it may be in the midst of an activation, and ends with the process."""


class Follower(ABC):
    """A gripper that follows the newest wish, in a thread of its own; no call waits for it.

    What was asked for while it was away or hung is not done late: who still wants it asks again, as a chunk's rows do.
    """

    def __init__(self, name: str, trouble: str) -> None:
        """Begin, under the thread's name and the first trouble; to be called when all else is there.

        The gripper is connected in the background, and again whenever it was away.
        """
        self._wish: float | None = None
        self._over = threading.Event()
        self._trouble, self._heard_at = trouble, time.monotonic()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        """Why the gripper does not follow, in words; empty while it does."""
        if not self._trouble and time.monotonic() - self._heard_at > HANG:
            return self._words(TimeoutError(f"it hangs: nothing was heard of it for {HANG:g} s"))
        return self._trouble

    def send(self, closing: float) -> None:
        """Ask for a gripper value, 0 open .. 1 closed, which the gate has passed; returns at once."""
        self._wish = closing

    def close(self) -> None:
        """End the thread. The fingers keep what they hold."""
        self._over.set()
        self._thread.join(LEAVE_TIME)

    def _heard(self, trouble: str = "") -> bool:
        """To be called whenever the gripper was heard of, by the thread; it follows, if there is no trouble.

        Returns:
            Whether it hung before; then what was asked for meanwhile is forgotten.
        """
        now = time.monotonic()
        hung = now - self._heard_at > HANG
        if hung:
            self._wish = None
        self._heard_at, self._trouble = now, trouble
        return hung

    @abstractmethod
    def _serve(self) -> None:
        """Connect, and follow until `_over`; whatever is raised is said, and tried again."""

    @abstractmethod
    def _words(self, error: Exception) -> str:
        """An error that `_serve` raised, as the trouble."""

    def _leave(self) -> None:  # noqa: B027 - most have nothing to leave
        """Called after each `_serve`, when its error has been said."""

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._serve()
            except Exception as error:  # whatever it is, a thread that ended would say nothing any longer
                self._trouble = self._words(error)
                self._over.wait(RETRY)
            self._leave()
