"""What the grippers share: a thread that follows the newest wish, and comes back whatever goes wrong."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

RETRY = 0.5
"""s between two attempts to reach a gripper that is away."""
LEAVE_TIME = 0.5
"""Longest wait for the thread to end [s]; it may be in the midst of an activation, and ends with the process."""


class Follower(ABC):
    """A gripper that follows the newest wish, in a thread of its own; no call waits for it.

    What was asked for while it was away is never done late: who still wants it asks again, as a chunk's rows do.
    """

    def __init__(self, name: str, trouble: str) -> None:
        """Begin, under the thread's name and the first trouble; to be called when all else is there.

        The gripper is connected in the background, and again whenever it was away.
        """
        self._wish: float | None = None
        self._over = threading.Event()
        self.trouble = trouble
        """Why the gripper does not follow, in words; empty while it does."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def send(self, closing: float) -> None:
        """Ask for a gripper value, 0 open .. 1 closed, which the gate has passed; returns at once."""
        self._wish = closing

    def close(self) -> None:
        """End the thread. The fingers keep what they hold."""
        self._over.set()
        self._thread.join(LEAVE_TIME)

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
                self.trouble = self._words(error)
                self._over.wait(RETRY)
            self._leave()
