"""How the deciding node is: whether it decides, and whether its decisions come in time."""

from __future__ import annotations

from collections import deque

from frs_steering.health.report import Health, Level, seconds, without_figures

RECENT = 5.0
"""s for which a late decision, or one that was given up, is told."""


class Decisions:
    """Remembers how decisions ended. Not thread-safe."""

    def __init__(self) -> None:
        self.made = self.late = self.given_up = 0
        self.took: float | None = None
        """s that the last one took."""
        self.why = ""
        """Why the last one was given up, in words."""
        self._late_at: deque[float] = deque(maxlen=100)
        self._given_up_at: deque[float] = deque(maxlen=100)

    def was_made(self, took: float, slack: float, now: float) -> None:
        """One was made in `took` s; the chunk before it had rows for `slack` s."""
        self.made += 1
        self.took = took
        if took > slack:
            self.late += 1
            self._late_at.append(now)

    def was_given_up(self, why: str, now: float) -> None:
        """One was given up."""
        self.given_up += 1
        self.why = why
        self._given_up_at.append(now)

    def recently(self, now: float) -> tuple[int, int]:
        """How many were late, and given up, within the last RECENT."""
        late = sum(now - at < RECENT for at in self._late_at)
        return late, sum(now - at < RECENT for at in self._given_up_at)


def steering_health(*, active: bool, why: str, values: dict[str, str]) -> Health:
    """Whether it decides.

    Args:
        active: it has been told to.
        why: what keeps it from deciding, in words; empty if nothing does.
        values: figures to be told.
    """
    values, cause = values | {"what is in its way": why or "nothing"}, without_figures(why)
    if active:
        return (
            Health(Level.ERROR, f"active, but can't decide: {cause}", values)
            if why
            else Health(Level.OK, "active: it decides", values)
        )
    if why:
        return Health(Level.WARN, f"inactive; an activation would lack: {cause}", values)
    return Health(Level.OK, "inactive: call flow_steering/activate to let it decide", values)


def decisions_health(decisions: Decisions, starved: int, now: float) -> Health:
    """Whether decisions come in time.

    Args:
        decisions: so far.
        starved: control steps for which the arm waited for a chunk, since its last claim.
        now: s, monotonic.
    """
    values = {
        "decisions": str(decisions.made),
        "late": str(decisions.late),
        "given up": str(decisions.given_up),
        "the last one took [s]": seconds(decisions.took),
        "control steps without a chunk": str(starved),
        "why the last one was given up": decisions.why or "none was",
    }
    late, given_up = decisions.recently(now)
    if given_up:
        return Health(Level.WARN, "gave a decision up: see why, and the policy's diagnostics", values)
    if late:
        return Health(
            Level.WARN,
            "a decision took longer than the chunk before it had rows, and the arm waited: see what the policy takes",
            values,
        )
    return Health(Level.OK, "in time" if decisions.made else "none yet", values)
