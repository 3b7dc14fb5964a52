"""What the operator has wished and the steering has not yet taken up.

A terminal reports no key release, so a press is an edge: one wish, for one chunk. The first is sent at once;
wishes pressed while it waits for the next decision join it where they can (a direction and a gripper wish make
one) and else queue behind it, so that a short tap is not lost.
"""

from __future__ import annotations

import collections
import dataclasses

from frs_msgs.msg import Guidance

from frs_teleop_cli.keys import Direction

QUEUE_LIMIT = 3
"""Wishes that may wait behind the one that was sent: about 1.6 s of chunks, further ahead nobody steers."""

ANSWER_TIME = 1.0
"""s that a decision may take from picking up a wish to telling about it, after the wish's validity."""

NOWHERE: Direction = (0.0, 0.0, 0.0)


@dataclasses.dataclass(frozen=True)
class Wish:
    """One wish for one chunk.

    Attributes:
        direction: unit vector in the base frame, or zeros for none.
        gripper: GRIPPER_* of frs_msgs/Guidance.
        amount: 0..1, share of the full coarse speed.
        defer: let the policy act; the rest is then at its default.
    """

    direction: Direction = NOWHERE
    gripper: int = Guidance.GRIPPER_KEEP
    amount: float = 1.0
    defer: bool = False

    def join(self, other: Wish) -> Wish | None:
        """Put a later wish into this one; None if they contradict each other."""
        if self.defer or other.defer:
            return self if self == other else None
        moves = other if other.direction != NOWHERE else self
        grips = other if other.gripper != Guidance.GRIPPER_KEEP else self
        if self.direction not in (NOWHERE, moves.direction):
            return None
        if self.gripper not in (Guidance.GRIPPER_KEEP, grips.gripper):
            return None
        return Wish(moves.direction, grips.gripper, moves.amount)

    def without(self, used: Wish) -> Wish | None:
        """What remains of this wish after a decision that used `used`; None if that was another wish."""
        if self.defer or used.defer:
            return Wish() if self.defer and used.defer else None
        moved = used.direction != NOWHERE
        gripped = used.gripper != Guidance.GRIPPER_KEEP
        if (moved and used.direction != self.direction) or (gripped and used.gripper != self.gripper):
            return None
        if not moved and not gripped:
            return None
        return Wish(
            NOWHERE if moved else self.direction,
            Guidance.GRIPPER_KEEP if gripped else self.gripper,
            self.amount,
        )

    @property
    def empty(self) -> bool:
        """Whether nothing is wished at all."""
        return not self.defer and self.direction == NOWHERE and self.gripper == Guidance.GRIPPER_KEEP


@dataclasses.dataclass(frozen=True)
class Taken:
    """The last wish that a decision used.

    Attributes:
        wish: the wish, as far as it was used.
        at: s, monotonic moment of learning so.
    """

    wish: Wish
    at: float


class QueueFull(ValueError):
    """A wish came while QUEUE_LIMIT others were waiting."""


class WishLine:
    """The wish that was sent, those queued behind it, and the last one taken up.

    All moments are seconds of one monotonic clock, given by the caller. Not thread-safe.
    """

    def __init__(self, validity: float) -> None:
        """Start empty.

        Args:
            validity: s for which the receiver of a wish may use it.
        """
        self.validity = validity
        self.now: Wish | None = None
        self.sent_at = 0.0
        self.queued: collections.deque[Wish] = collections.deque()
        self.last: Taken | None = None

    def press(self, wish: Wish, at: float) -> Wish | None:
        """Add a wish.

        Returns:
            the wish to publish now, or None if it waits in the line or was there already.

        Raises:
            QueueFull: too many are waiting; the wish is dropped.
        """
        if wish.defer:
            self.queued.clear()
            return self._send(wish, at)
        if self.now is None or self.now.defer or at - self.sent_at > self.validity:
            self.queued.clear()
            return self._send(wish, at)
        newest = self.queued[-1] if self.queued else self.now
        joined = newest.join(wish)
        if joined is None:
            if len(self.queued) >= QUEUE_LIMIT:
                raise QueueFull(f"{QUEUE_LIMIT} wishes are waiting already")
            self.queued.append(wish)
            return None
        if self.queued:
            self.queued[-1] = joined
            return None
        # A held key repeats some 30 times a second: one message, refreshed before it goes stale.
        if joined == self.now and at - self.sent_at < self.validity / 2:
            return None
        return self._send(joined, at)

    def answered(self, answer: Wish, at: float, used: bool) -> Wish | None:
        """Note that a decision answered a wish of this operator.

        Args:
            answer: the wish that was at hand when it was made.
            at: monotonic moment [s].
            used: whether the chunk follows the wish; False if the policy acted instead.

        Returns:
            what to publish next: the rest of the wish, or the first of the queue, or None.
        """
        rest = None if self.now is None else self.now.without(answer)
        if rest is None:
            return None
        if used:
            self.last = Taken(answer, at)
        if not rest.empty:
            return self._send(rest, at)
        self.now = None
        return self._send(self.queued.popleft(), at) if self.queued else None

    def expire(self, at: float) -> Wish | None:
        """Drop everything once the sent wish can no longer be taken up.

        Returns:
            the wish that nobody used, or None if nothing was lost.
        """
        if self.now is None or at - self.sent_at <= self.validity + ANSWER_TIME:
            return None
        lost = None if self.now.defer else self.now
        self.clear()
        return lost

    def clear(self) -> None:
        """Forget the sent wish and the queue."""
        self.now = None
        self.queued.clear()

    def _send(self, wish: Wish, at: float) -> Wish:
        self.now, self.sent_at = wish, at
        return wish
