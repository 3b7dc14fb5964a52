"""Who may drive the arm: one owner at a time, told apart by an epoch that is never used twice."""

from __future__ import annotations

import dataclasses

CLAIM_LEASE = 2.0
"""How long a claim keeps others out before the owner's first chunk comes [s]."""


@dataclasses.dataclass(frozen=True)
class Claim:
    """Answer to a claim: granted or not, why not, and the epoch to be put into every chunk (0 if refused)."""

    granted: bool
    epoch: int
    message: str


@dataclasses.dataclass(frozen=True)
class Ownership:
    """The present owner.

    Attributes:
        owner: its name; empty if none.
        epoch: 0 if none.
        until: end of its lease on the monotonic clock [s]; until then nobody may claim the arm.
        next_epoch: for the next claim.
        is_used: a chunk of its epoch was accepted.
    """

    next_epoch: int
    owner: str = ""
    epoch: int = 0
    until: float = 0.0
    is_used: bool = False

    def claim(self, owner: str, now: float) -> tuple[Ownership, Claim]:
        """Give the arm to `owner` unless a lease runs.

        So it is also with a lease in its own name, for there may be two of that name; but a claim that no chunk has
        followed yet is granted anew, for its answer may have been lost.
        """
        if not owner:
            return self, Claim(False, 0, "refused: the owner's name is empty")
        if self.owner and now < self.until and (self.is_used or owner != self.owner):
            left = f"its lease runs for another {self.until - now:.2f} s"
            return self, Claim(False, 0, f"refused: {self.owner!r} owns the arm and {left}")
        epoch = self.next_epoch
        owned = Ownership(epoch + 1, owner, epoch, now + CLAIM_LEASE)
        return owned, Claim(True, epoch, f"granted: {owner!r} owns the arm in epoch {epoch}")

    def renewed(self, until: float) -> Ownership:
        """With the lease extended to `until`."""
        return dataclasses.replace(self, until=max(self.until, until), is_used=True)

    def revoked(self) -> Ownership:
        """Without an owner."""
        return Ownership(self.next_epoch)
