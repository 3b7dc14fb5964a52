"""Reasoners of the evaluation: who gives the coarse directions. All are asked once per chunk, by one interface."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from frs_sim.cell import Truth
from frs_sim.demonstrator import Demonstrator
from frs_sim.oracle import AUTHOR, LESS, oracle
from frs_sim.tasks import Task
from frs_steering.policies import Observation
from frs_steering.steer.guidance import DIRECTIONS, Guidance, GuidanceSource


@dataclass(frozen=True)
class Situation:
    """What a reasoner may look at.

    Attributes:
        task: that is to be done.
        truth: the true state, for oracles alone: nobody else could know it.
        observation: what the policy sees, images and instruction among it: all that a person or a model has.
    """

    task: Task
    truth: Truth
    observation: Observation


Reasoner = Callable[[Situation], Guidance | None]
"""What is wished for now; None where nobody says anything.

It is made anew for each episode, so it may remember what it said. What it knows never reaches the policy: only the
wish does.
"""

_VALIDITY = 0.5  # s; the evaluation uses a wish at once
_STREAM = 0x6E6F697379  # keeps the errors' random numbers apart from those of the scene with the same seed


class ReasonerError(ValueError):
    """A reasoner that does not exist; the message says what there is."""


@dataclass(frozen=True)
class ReasonerChoice:
    """Which reasoner, as a command names it.

    Attributes:
        wrong: 0..1, probability that a wish is replaced by a random other one; 0 is the oracle.
        demonstrates: it says whole chunks instead of directions, as an expert would drive; for the method "direct".
        amount: 0..1, of each direction, as by a key; 0 is as the oracle chooses, as by a joystick.
    """

    wrong: float = 0.0
    demonstrates: bool = False
    amount: float = 0.0

    def __str__(self) -> str:
        if self.demonstrates:
            return "expert"
        amount = f":{self.amount:g}" if self.amount else ""
        return f"noisy:{self.wrong:g}{amount}" if self.wrong else f"oracle{amount}"

    def make(self, seed: int) -> Reasoner | Demonstrator:
        """The reasoner for one episode; the same seed errs at the same decisions."""
        if self.demonstrates:
            return Demonstrator()
        right = evenly(knowing, self.amount) if self.amount else knowing
        return noisy(right, self.wrong, seed, self.amount or LESS) if self.wrong else right


def parse_reasoner(text: str) -> ReasonerChoice:
    """Read "oracle", "oracle:A", "expert", "noisy:P" or "noisy:P:A". "noisy:0" is the oracle.

    Raises:
        ReasonerError: no such reasoner, or A or P is out of its range.
    """
    name, colon, number = text.partition(":")
    if text == "oracle":
        return ReasonerChoice()
    if text == "expert":
        return ReasonerChoice(demonstrates=True)
    if name == "noisy" and colon:
        wrong, colon, number = number.partition(":")
        errs = _number(wrong, f"the reasoner {text!r} errs with probability")
        return ReasonerChoice(wrong=errs, amount=_amount(number, text) if colon else 0.0)
    if name == "oracle" and colon:
        return ReasonerChoice(amount=_amount(number, text))
    raise ReasonerError(
        f"no reasoner is called {text!r}; there are: oracle, oracle:A (every direction with the amount A), "
        "noisy:P and noisy:P:A (P the probability of an error), expert"
    )


def _amount(number: str, text: str) -> float:
    amount = _number(number, f"the reasoner {text!r} says every direction with the amount")
    if amount == 0.0:
        raise ReasonerError(f"the reasoner {text!r} says every direction with the amount 0, which is none")
    return amount


def _number(text: str, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0.0 <= number <= 1.0:
        raise ReasonerError(f"{what} {text!r}; it must lie in [0, 1]")
    return number


def knowing(situation: Situation) -> Guidance:
    """The oracle as a reasoner."""
    return oracle(situation.task, situation.truth)


def evenly(reasoner: Reasoner, amount: float) -> Reasoner:
    """A reasoner whose directions all have the same amount, as those of a keyboard have."""

    def say(situation: Situation) -> Guidance | None:
        wish = reasoner(situation)
        return wish if wish is None or wish.defer else dataclasses.replace(wish, amount=amount)

    return say


def noisy(reasoner: Reasoner, wrong: float, seed: int, amount: float = LESS) -> Reasoner:
    """A reasoner that errs: with probability `wrong` it says one of the other five directions, all equally likely.

    Where it should have let the policy act, an error is any of the six, with the amount given. The same two random
    numbers are drawn at every call, so that a larger `wrong` errs wherever a smaller one did.
    """
    rng = np.random.default_rng([_STREAM, seed])

    def say(situation: Situation) -> Guidance | None:
        wish = reasoner(situation)
        errs, which = rng.random() < wrong, rng.random()
        if not errs:
            return wish
        right = None if wish is None or wish.defer else wish.direction
        others = [direction for direction in DIRECTIONS.values() if direction != right]
        direction = others[int(which * len(others))]
        if wish is None or wish.defer:
            return Guidance(GuidanceSource.SCRIPTED, AUTHOR, direction=direction, amount=amount, validity=_VALIDITY)
        return dataclasses.replace(wish, direction=direction)

    return say
