"""How many control steps a chunk drove, and how many it should have driven and did not."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Tally:
    """Since the last claim.

    Attributes:
        driven: control steps that a chunk drove.
        starved: those in which one was due and none was there.
        expects: a chunk is due on every step.
    """

    driven: int = 0
    starved: int = 0
    expects: bool = False

    def counted(self, *, driven: bool, skipped: int) -> Tally:
        """After a control step, before which `skipped` were missed; a chunk is due from the first one that drove on."""
        missed = skipped + (not driven) if self.expects else 0
        return Tally(self.driven + driven, self.starved + missed, self.expects or driven)

    def paused(self) -> Tally:
        """No chunk is due until the next one drives."""
        return dataclasses.replace(self, expects=False)
