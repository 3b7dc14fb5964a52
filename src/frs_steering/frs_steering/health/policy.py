"""How the policy's node is: what it sees, and how it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from frs_steering.health.report import Health, Level, seconds, without_figures, worst

RECENT = 5.0
"""s for which a query that was refused, or failed, is told."""

HANGS = 1.0
"""s that a query may take: many times what the network needs; as long as flow_steering waits by default."""


@dataclass(frozen=True)
class Stream:
    """How one stream that the policy needs comes.

    Attributes:
        age: s since the last message was received; None: none came.
        still: s since the sender's stamp last changed; None: none came.
        limit: age at which it is stale [s].
    """

    age: float | None
    still: float | None
    limit: float


class Streams:
    """Remembers when each stream came. Not thread-safe."""

    def __init__(self, limits: Mapping[str, float]) -> None:
        """Begin with the limits on the age [s] by the stream's name."""
        self._limits = dict(limits)
        self._received: dict[str, float] = {}
        self._stamped: dict[str, tuple[int, float]] = {}

    def saw(self, name: str, stamp: int, now: float) -> None:
        """A message with this stamp [ns, the sender's clock] was received at `now` [s, monotonic]."""
        self._received[name] = now
        if name not in self._stamped or self._stamped[name][0] != stamp:
            self._stamped[name] = stamp, now

    def at(self, now: float) -> dict[str, Stream]:
        """How they all are at `now` [s, monotonic]."""
        return {
            name: Stream(
                now - self._received[name] if name in self._received else None,
                now - self._stamped[name][1] if name in self._stamped else None,
                limit,
            )
            for name, limit in self._limits.items()
        }


class Queries:
    """Remembers how queries end. Written by one thread, read by another: whole values only."""

    def __init__(self) -> None:
        self.begun_at: float | None = None
        """s, monotonic, of the query that is being answered; None while there is none."""
        self.answered = self.refused = 0
        self.took: float | None = None
        """s that the last answer took."""
        self.refusal: tuple[str, float] | None = None
        """Why the last one was refused, in words, and when [s, monotonic]."""

    def begun(self, now: float) -> None:
        """A query came."""
        self.begun_at = now

    def ended(self, now: float, why_not: str) -> None:
        """It was answered, or refused for a reason in words."""
        if self.begun_at is not None:
            self.took = now - self.begun_at
        self.begun_at = None
        if why_not:
            self.refused, self.refusal = self.refused + 1, (why_not, now)
        else:
            self.answered += 1


def inputs_health(streams: Mapping[str, Stream], why_not: str) -> Health:
    """What the policy sees.

    Args:
        streams: by name, as "camera 'wrist'".
        why_not: why no observation can be made of them now, in words; empty where one can.
    """
    values = {f"age of {name} [s]": seconds(stream.age) for name, stream in streams.items()}
    values["what is in its way"] = why_not or "nothing"
    found = [wrong for name, stream in streams.items() if (wrong := _wrong(name, stream)) is not None]
    if not found and why_not:
        found.append(Health(Level.ERROR, without_figures(why_not)))
    return worst(found, "all that the policy sees is fresh", values)


def _wrong(name: str, stream: Stream) -> Health | None:
    if stream.age is None or stream.still is None:
        return Health(Level.ERROR, f"{name} never came: start its driver, and compare the names of its topics")
    if stream.age > stream.limit:
        return Health(Level.ERROR, f"{name} has stopped coming: see its driver and its cable")
    if stream.still > stream.limit:
        return Health(Level.ERROR, f"{name} is frozen: it comes, but always with the same stamp; start its driver anew")
    return None


def policy_health(name: str, weights: str, queries: Queries, now: float) -> Health:
    """How the policy answers.

    Args:
        name: of the policy.
        weights: the SHA-256 of its weights.
        queries: so far.
        now: s, monotonic.
    """
    values = {
        "policy": name,
        "weights": weights[:12],
        "queries answered": str(queries.answered),
        "queries refused": str(queries.refused),
        "the last one took [s]": seconds(queries.took),
        "last refusal": queries.refusal[0] if queries.refusal else "none",
    }
    begun, refusal = queries.begun_at, queries.refusal
    if begun is not None and now - begun > HANGS:
        return Health(
            Level.ERROR, f"a query has taken more than {HANGS:g} s: the network hangs, or waits for a core", values
        )
    if refusal is not None and now - refusal[1] < RECENT:
        # Without the words of the refusal, in which there are figures: they are in the values.
        return Health(Level.WARN, "refused a query: see the last refusal, and the inputs", values)
    return Health(Level.OK, f"{name!r} is loaded and answers", values)
