"""Whose wish the next decision follows."""

from __future__ import annotations

from dataclasses import dataclass

from frs_steering.steer.guidance import Guidance, GuidanceSource

PRIORITY = (GuidanceSource.HUMAN, GuidanceSource.VLM, GuidanceSource.SCRIPTED)
"""Who goes first: a person over a model over a script. Below them, where nobody wishes anything: see `making`."""


@dataclass(frozen=True, eq=False)
class Wish:
    """A checked guidance and when it was received (s, the receiver's monotonic clock)."""

    guidance: Guidance
    received: float


class Arbiter:
    """Keeps the newest wish of each source and picks the one to follow.

    A person's wish is an edge, a key press: it counts for one decision, and stays until a decision has really
    used it, so that a short tap between two decisions is not lost. A model's or a script's wish is a standing
    one: it counts until its validity ends or a newer one comes.
    """

    def __init__(self) -> None:
        self._newest: dict[GuidanceSource, Wish] = {}

    def put(self, guidance: Guidance, now: float) -> None:
        """Take a wish received at `now` (s, monotonic); it replaces the older one of the same source."""
        self._newest[guidance.source] = Wish(guidance, now)

    def choose(self, now: float) -> Wish | None:
        """The valid wish of the highest source, or None where nobody wishes anything. Changes nothing."""
        for source in PRIORITY:
            wish = self._newest.get(source)
            if wish is not None and now - wish.received <= wish.guidance.validity:
                return wish
        return None

    def used(self, wish: Wish) -> None:
        """Say that a decision has followed `wish`: a person's is then spent, unless a newer press came meanwhile."""
        source = wish.guidance.source
        if source is GuidanceSource.HUMAN and self._newest.get(source) is wish:
            del self._newest[source]

    def clear(self) -> None:
        """Forget all wishes, e.g. because they were checked against another policy."""
        self._newest.clear()
