"""Legs in any direction: what a policy must have seen others do to be led anywhere.

An expert only ever heads for a place that it was taught for the thing in its hand, and lets it go there alone; a policy
that has seen nothing else draws the hand there however it is steered, and does not let go elsewhere. So some
demonstrations wander on their way. In the air the hand follows legs of random direction, length and speed, which know
nothing of what lies on the table; and now and then it sets what it holds down where nothing lies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from frs_sim.cell import CONTROL_RATE, Truth
from frs_sim.expert import Phase, Style, imagine
from frs_sim.expert.bring import ABOVE
from frs_sim.layout import TABLE
from frs_sim.objects import THINGS
from frs_sim.tasks import Task

IN_THE_AIR = (Phase.REACH, Phase.LIFT, Phase.CARRY)
"""Phases in which a leg may begin."""
BOX = np.array([[0.32, 0.66], [-0.28, 0.28], [0.13, 0.36]])
"""(3, 2) m, base frame: where legs of the TCP end; above most of what stands on the table."""
LOWEST = 0.12  # m, of a TCP from where a leg may begin
SPEEDS = (0.04, 0.30)  # m/s, from a nudge to a little more than a full coarse command
LENGTHS = (0.02, 0.16)  # m; a full coarse command moves the hand 0.13 m in one chunk
CARDINAL = 0.6  # share of the legs that go along one axis
BEGINS = 0.06  # probability a control step, in the air
GOES_ON = 0.8  # probability that a leg is followed by another
SETS_DOWN = 0.3  # probability that a held thing is set down instead of a leg
ROOM = 0.12  # m from there to the next thing
DOWN = (0.08, 0.25)  # m/s
OPENING = 4  # control steps
TRIES = 20  # spots to set something down at


@dataclass(frozen=True)
class Leg:
    """What is left of a leg: `rows` control steps with the linear velocity (3,) [m/s].

    Attributes:
        velocity: of the TCP.
        rows: how long.
        gripper: 0 open or 1 closed; None as the expert wants it.
    """

    velocity: np.ndarray
    rows: int
    gripper: float | None = None


def imagine_legs(legs: tuple[Leg, ...], task: Task, truth: Truth, rows: int, period: float, style: Style) -> np.ndarray:
    """The actions (rows, 7) from here on: the rest of the legs, then what the expert would do from their end.

    On a leg of the air the hand goes on turning as the expert would turn it, and the fingers stay as they are wanted.
    """
    if not legs or rows == 0:
        return imagine(task, truth, rows, period, style)
    leg, led = legs[0], min(legs[0].rows, rows)
    begin = imagine(task, truth, led, period, style)
    begin[:, :3] = leg.velocity
    if leg.gripper is None:
        begin[:, 6] = begin[0, 6]
    else:
        begin[:, 3:6], begin[:, 6] = 0.0, leg.gripper
    moved = leg.velocity * led * period
    positions, held = dict(truth.positions), truth.held
    if held:
        positions[held] = positions[held] + moved
    open_now = leg.gripper == 0.0
    there = replace(
        truth, positions=positions, held="" if open_now else held, tcp_position=truth.tcp_position + moved,
        gripper=0.0 if open_now else truth.gripper,
    )  # fmt: skip
    return np.concatenate([begin, imagine_legs(legs[1:], task, there, rows - led, period, style)])


class Wander:
    """The legs of one episode."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._legs: tuple[Leg, ...] = ()

    def next(self, phase: Phase, truth: Truth) -> tuple[Leg, ...]:
        """The legs that are under way on this control step, what is left of the first one first; none if none is."""
        if self._legs:
            first = replace(self._legs[0], rows=self._legs[0].rows - 1)
            self._legs = (first, *self._legs[1:]) if first.rows else self._legs[1:]
            if not self._legs and self._rng.random() < GOES_ON:
                self._legs = self._draw(truth)
        elif phase in IN_THE_AIR and truth.tcp_position[2] > LOWEST and self._rng.random() < BEGINS:
            self._legs = self._draw(truth)
        return self._legs

    def _draw(self, truth: Truth) -> tuple[Leg, ...]:
        if truth.held and self._rng.random() < SETS_DOWN:
            return self._set_down(truth)
        direction = self._rng.normal(size=3)
        if self._rng.random() < CARDINAL:
            direction = np.eye(3)[self._rng.integers(3)] * self._rng.choice([-1.0, 1.0])
        leg = direction / np.linalg.norm(direction) * self._rng.uniform(*LENGTHS)
        leg = (truth.tcp_position + leg).clip(*BOX.T) - truth.tcp_position
        return _straight(leg, self._rng.uniform(*SPEEDS), None)

    def _set_down(self, truth: Truth) -> tuple[Leg, ...]:
        # To above bare table where nothing is near, down, open, and up again: never at a place, taught or not.
        others = [position[:2] for name, position in truth.positions.items() if name != truth.held]
        low, high = np.array(TABLE).T
        spots = self._rng.uniform(low, high, (TRIES, 2))
        free = [at for at in spots if all(float(np.hypot(*(at - other))) > ROOM for other in others)]
        if not free:
            return ()
        speed, up = self._rng.uniform(*DOWN), self._rng.uniform(0.05, 0.15)
        height = float(truth.positions[truth.held][2]) - THINGS[truth.held].rest_height - ABOVE
        return (
            *_straight(np.append(free[0] - truth.tcp_position[:2], 0.0), speed, None),
            *_straight(np.array([0.0, 0.0, -height]), speed, 1.0),
            Leg(np.zeros(3), OPENING, 0.0),
            *_straight(np.array([0.0, 0.0, up]), speed, 0.0),
        )


def _straight(way: np.ndarray, speed: float, gripper: float | None) -> tuple[Leg, ...]:
    # The leg of that way (3,) m in whole control steps, at that speed or a little slower; none if two are too many.
    rows = math.ceil(float(np.linalg.norm(way)) / speed * CONTROL_RATE)
    return (Leg(way * CONTROL_RATE / rows, rows, gripper),) if rows >= 2 else ()
