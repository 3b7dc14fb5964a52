"""Whether everything that an episode needs is coming: before it, so that it is worth beginning, and while it runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from frs_steering.record.topics import Kind, Topic

WINDOW = 2.0
"""s over which rates are counted."""

SHARE = 0.8
"""Share of a topic's rate below which it is too slow."""

SKEW = 0.2
"""s that the newest messages of two sensors may have been sent apart."""

_NANO = 1e-9


class Alive:
    """Counts what arrives on each topic over the last WINDOW."""

    def __init__(self, topics: Sequence[Topic], began: int) -> None:
        """Begin at `began`, ns since the epoch: before WINDOW has passed, nothing is called slow."""
        self._topics = tuple(topics)
        self._began = began
        self._received: list[deque[int]] = [deque() for _ in self._topics]
        self._sent = [0] * len(self._topics)

    def note(self, index: int, received: int, sent: int) -> None:
        """A message of topic number `index` was received and sent at these times, ns since the epoch."""
        times = self._received[index]
        times.append(received)
        self._sent[index] = max(self._sent[index], sent)
        self._forget(times, received)

    def complaints(self, now: int) -> list[str]:
        """What is missing, slow, or out of step at `now` (ns since the epoch), a line each; empty if all is well."""
        found, sent = [], {}
        window = min(WINDOW, (now - self._began) * _NANO)
        for topic, times, newest in zip(self._topics, self._received, self._sent, strict=True):
            if not topic.rate:
                if topic.kind is Kind.LATCHED and topic.required and not newest:
                    found.append(f"{topic.name} never came")
                continue
            self._forget(times, now)
            if not newest:
                found.append(f"{topic.name} never came; it should come {topic.rate:g} times a second")
            elif not times:
                found.append(
                    f"{topic.name} has not come for {WINDOW:g} s; it should come {topic.rate:g} times a second"
                )
            elif window >= WINDOW and len(times) < SHARE * topic.rate * WINDOW:
                found.append(
                    f"{topic.name} comes {len(times) / WINDOW:.1f} times a second; it should {topic.rate:g} times"
                )
            if times and topic.kind in (Kind.SENSOR, Kind.IMAGE):
                sent[topic.name] = newest
        if sent:
            first, last = min(sent, key=sent.__getitem__), max(sent, key=sent.__getitem__)
            if (skew := (sent[last] - sent[first]) * _NANO) > SKEW:
                found.append(f"{first} was last sent {skew:.2f} s before {last}; at most {SKEW:g} s allowed")
        return found

    def _forget(self, times: deque[int], now: int) -> None:
        while times and (now - times[0]) * _NANO > WINDOW:
            times.popleft()
