"""What is added to an expert's actions, so that demonstrations hold the way back from where steering may lead."""

from __future__ import annotations

import numpy as np

from frs_sim.expert import Phase

FINE = (Phase.DESCEND, Phase.GRASP, Phase.LOWER, Phase.RELEASE, Phase.SLIDE, Phase.PUSH)
"""Phases in which the hand is close to something."""
EMPTY = (Phase.REACH, Phase.DESCEND)
"""Phases in which the fingers are open and hold nothing."""
PUSH = 0.20  # m/s, at most


class Disturbance:
    """What is added to the expert's actions so that the data hold the way back from where steering may lead.

    Slowly varying noise, small where the hand is close to something; now and then a push along one of the cardinal
    directions for about a chunk, the same a person's guidance would do; and now and then, on the way to a thing, the
    fingers close on nothing, as they do when a policy believes that it is there.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._drift = np.zeros(6)
        self._push = np.zeros(6)
        self._left = 0
        self._closed = 0

    def next(self, action: np.ndarray, phase: Phase) -> np.ndarray:
        """The action (7,) that is driven on this control step instead of the expert's, SI units."""
        self._drift = 0.85 * self._drift + self._rng.normal(0.0, 1.0, 6) * ([0.022] * 3 + [0.05] * 3)
        if self._left == 0 and self._rng.random() < 0.025:
            self._left = int(self._rng.integers(4, 12))
            self._push = np.zeros(6)
            self._push[self._rng.integers(3)] = self._rng.choice([-1.0, 1.0]) * self._rng.uniform(0.3, 1.0) * PUSH
        self._left = max(0, self._left - 1)
        if self._closed == 0 and phase in EMPTY and self._rng.random() < 0.01:
            self._closed = int(self._rng.integers(4, 12))
        self._closed = max(0, self._closed - 1)
        fine = phase in FINE
        added = self._drift * (0.35 if fine else 1.0) + (self._push if self._left and not fine else 0.0)
        return np.append(action[:6] + added, 1.0 if self._closed else action[6])
