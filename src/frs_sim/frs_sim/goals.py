"""What a task wants: a few kinds of goal, each with its test on the physical state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from frs_sim.fixtures import DRAWER_CLOSED, DRAWER_OPEN
from frs_sim.objects import THINGS

Positions = Mapping[str, np.ndarray]
"""Name of a thing -> (3,) m, position of its body's origin in the base frame."""


@dataclass(frozen=True)
class Bring:
    """Grasp `object`, carry it to `place` and let go."""

    object: str
    place: str


@dataclass(frozen=True)
class Push:
    """Push `object` away from the robot onto `place`; it is too wide to grasp."""

    object: str
    place: str


@dataclass(frozen=True)
class Slide:
    """Open the drawer, or close it."""

    open: bool
    object: str = "drawer"
    place: str = "cabinet"


Goal = Bring | Push | Slide


def is_reached(goal: Goal, positions: Positions) -> bool:
    """Whether the goal's bodies are where it wants them; that all was let go and lies still is for the cell to see."""
    at, there = positions[goal.object], positions[goal.place]
    if isinstance(goal, Slide):
        travel = drawer_travel(positions)
        return travel >= DRAWER_OPEN if goal.open else travel <= DRAWER_CLOSED
    return _lies_at(goal.object, at, goal.place, there)


def drawer_travel(positions: Positions) -> float:
    """How far the drawer is out, m."""
    return float(positions["cabinet"][0] - positions["drawer"][0])


def surface(place: str, position: np.ndarray) -> float:
    """Height of the surface that a place at `position` (3,) offers, m in the base frame."""
    thing = THINGS[place]
    return float(position[2] - thing.rest_height + thing.top)


def _lies_at(name: str, at: np.ndarray, place: str, there: np.ndarray) -> bool:
    # Origins within the place's radius, resting at the height that it offers.
    thing = THINGS[name]
    away = float(np.hypot(*(at - there)[:2]))
    height = float(at[2]) - surface(place, there)
    lowest = min(thing.rest_height, 0.015) - 0.012  # things may come to lie on another side
    return away <= THINGS[place].radius and lowest <= height <= thing.rest_height + 0.025
