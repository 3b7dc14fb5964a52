"""When to begin the next decision: so early that its chunk is there at the seam, and no earlier."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

REMEMBERED = 20
"""Decisions whose duration counts."""

PERCENTILE = 95.0

MARGIN = 0.005
"""s, added to the measured duration: the control tick may come early by this much (99 of 100 do not)."""

UNMEASURED_LEAD = 2
"""Ticks, before anything was measured."""

OVERDUE = 2.0
"""Times the usual duration of a decision, after which something is wrong."""

LEAST_PATIENCE = 0.3
"""s; no decision is overdue before."""

TAKE_OVER_TICKS = 2
"""A chunk that does not drive after so many ticks was not admitted."""


class Schedule:
    """Decides from the arm's progress whether a decision is due, with a lead learned from past durations."""

    def __init__(self, execute_rows: int, row_duration: float) -> None:
        """Plan for chunks of which `execute_rows` rows are driven, each of `row_duration` s."""
        self._execute_rows = execute_rows
        self._row_duration = row_duration
        self._durations: deque[float] = deque(maxlen=REMEMBERED)
        self._warm = False
        self._sent_chunk = 0
        self._sent_tick = 0

    @property
    def lead(self) -> int:
        """Ticks between beginning a decision and its chunk taking over; at least 1, at most half of `execute_rows`.

        Where decisions take longer, the rows beyond `execute_rows` bridge the time; a longer lead would only
        let a single slow decision cut the chunks after it short.
        """
        most = max(1, self._execute_rows // 2)
        if not self._durations:
            return min(UNMEASURED_LEAD, most)
        return max(1, min(most, math.ceil((self._usual() + MARGIN) / self._row_duration)))

    @property
    def patience(self) -> float:
        """s after which a decision is overdue; infinite before anything was measured."""
        return max(LEAST_PATIENCE, OVERDUE * self._usual()) if self._durations else math.inf

    def _usual(self) -> float:
        return float(np.percentile(self._durations, PERCENTILE))

    def is_due(self, tick: int, chunk_id: int, row: int) -> bool:
        """Whether to begin a decision now.

        Args:
            tick: the control step just made.
            chunk_id: the chunk that drove it, 0 if none.
            row: its row that was driven, -1 if none.
        """
        awaiting = chunk_id != self._sent_chunk and 0 <= tick - self._sent_tick <= TAKE_OVER_TICKS
        if self._sent_chunk and awaiting:
            return False
        return row < 0 or row >= self._execute_rows - self.lead

    def sent(self, chunk_id: int, tick: int, duration: float) -> None:
        """Note that a chunk was sent after control step `tick`, `duration` s after its decision was begun.

        The first duration is not counted: connections are made and caches filled in it.
        """
        self._sent_chunk, self._sent_tick = chunk_id, tick
        if self._warm:
            self._durations.append(duration)
        self._warm = True
