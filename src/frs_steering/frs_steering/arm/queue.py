"""The admitted chunks: the newest, and the one before it, which drives until row 0 of the newest is due."""

from __future__ import annotations

import dataclasses

from frs_steering.arm.chunk import Chunk
from frs_steering.arm.verdicts import Reason


@dataclasses.dataclass(frozen=True)
class Held:
    """An admitted chunk and the end of its lease on the monotonic clock [s]."""

    chunk: Chunk
    until: float


@dataclasses.dataclass(frozen=True)
class Due:
    """What is due on a control step.

    Attributes:
        held: the chunk that drives, None if none does.
        row: of it, -1 if none.
        why: nothing drives, in words.
        reason: for that.
    """

    held: Held | None
    row: int
    why: str = ""
    reason: Reason = Reason.NONE


@dataclasses.dataclass(frozen=True)
class Queue:
    """The chunks that may drive."""

    newest: Held | None = None
    previous: Held | None = None

    def with_newest(self, chunk: Chunk, until: float, tick: int) -> Queue:
        """With another chunk, until the end of its lease [s]; it takes the place of one that is not due by `tick`."""
        begun = self.newest is not None and tick >= self.newest.chunk.first_tick
        return Queue(Held(chunk, until), self.newest if begun else self.previous)

    def renewed(self, chunk_id: int, now: float, until: float) -> Queue | None:
        """With a chunk's lease extended; None if it is not held or its lease has ended."""

        def extended(held: Held) -> Held:
            return Held(held.chunk, max(held.until, until))

        for held in (self.newest, self.previous):
            if held is not None and held.chunk.chunk_id == chunk_id and now < held.until:
                if held is self.newest:
                    return Queue(extended(held), self.previous)
                return Queue(self.newest, extended(held))
        return None

    def due(self, tick: int, now: float) -> Due:
        """Which row drives on control step `tick`."""
        for held in (self.newest, self.previous):
            if held is None or tick < held.chunk.first_tick:
                continue
            row = tick - held.chunk.first_tick
            if now >= held.until:
                return Due(None, -1, f"the lease of chunk {held.chunk.chunk_id} has ended", Reason.LEASE_ENDED)
            if row >= held.chunk.horizon:
                return Due(None, -1, f"chunk {held.chunk.chunk_id} has run out", Reason.NO_CHUNK)
            return Due(held, row)
        return Due(None, -1, "no chunk", Reason.NO_CHUNK)
