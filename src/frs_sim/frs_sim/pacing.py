"""Keeping simulated time in step with the clock on the wall, and saying what is due when."""

from __future__ import annotations

import time
from collections.abc import Callable

MAX_CATCH_UP = 0.1
"""s of wall time that the simulation makes up for by running faster; what it is later than that is lost."""


class Pacer:
    """Sleeps until a simulated moment is due, by deadlines, so that errors do not add up."""

    def __init__(
        self,
        realtime_factor: float,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`realtime_factor` is simulated seconds per second; 0 never sleeps. The clock starts now."""
        self._factor = realtime_factor
        self._now, self._sleep = now, sleep
        self._origin = now()

    def wait_until(self, simulated: float) -> float:
        """Sleep until `simulated` [s since the start] is due. Returns the wall time [s] given up as lost, mostly 0."""
        if self._factor == 0.0:
            return 0.0
        ahead = self._origin + simulated / self._factor - self._now()
        if ahead > 0.0:
            self._sleep(ahead)
            return 0.0
        lost = max(0.0, -ahead - MAX_CATCH_UP)
        self._origin += lost
        return lost


class Beat:
    """Something that happens `rate` times a simulated second, on the nearest physics step."""

    def __init__(self, rate: float, timestep: float) -> None:
        self._steps_per_beat = 1.0 / (rate * timestep)
        self._count = 1

    @property
    def next_step(self) -> int:
        """The physics step on which it is due next."""
        return round(self._count * self._steps_per_beat)

    def due(self, step: int) -> bool:
        """Whether it is due on `step`; if so, the next one is set."""
        if step < self.next_step:
            return False
        self._count += 1
        return True
