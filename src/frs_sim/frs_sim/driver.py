"""The simulated robot's driver: it stops when no command comes."""

from __future__ import annotations

from frs_steering.arm.backends.interface import WATCHDOG


class Watchdog:
    """Says when the last command is too old to be followed. Works in the robot's own time, in seconds."""

    def __init__(self, timeout: float = WATCHDOG) -> None:
        self._timeout = timeout
        self._last: float | None = None

    def feed(self, now: float) -> None:
        """A command came."""
        self._last = now

    def bites(self, now: float) -> bool:
        """True once, when commands came but none within the time-out."""
        if self._last is None or now - self._last <= self._timeout:
            return False
        self._last = None
        return True
