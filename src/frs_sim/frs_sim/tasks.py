"""The tasks of the cell: what lies on the table, what is asked for, and when it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from frs_sim.objects import THINGS

FIRST_HELD_OUT_SEED = 2**31
"""Scenes of evaluations have seeds from here on, scenes of demonstrations seeds below."""
TABLE_X = (0.36, 0.62)  # m, base frame: where things are put
TABLE_Y = (-0.24, 0.24)


class TaskError(ValueError):
    """A task that does not exist or can't be laid out; the message lists what there is."""


@dataclass(frozen=True)
class Task:
    """One thing to do: bring `object` to `place`.

    Attributes:
        name: as used in commands.
        instruction: what the policy is told.
        object: name of the thing to move.
        place: name of the thing to move it to.
        places: places on the table beside `place` (the wrong ones).
        distractors: loose things of which some lie on the table too.
        start_in: name of the fixture that holds the object at the start, or empty.
        step_limit: control steps (15 Hz) after which the episode has failed.
        held_out: never demonstrated, never instructed in training.
        reworded: a taught behaviour under a sentence that was never trained, so that the policy does not know it.
    """

    name: str
    instruction: str
    object: str
    place: str
    places: tuple[str, ...] = ()
    distractors: tuple[str, ...] = ()
    start_in: str = ""
    step_limit: int = 400
    held_out: bool = False
    reworded: bool = False


_PANTRY = ("egg", "carrot", "sponge", "red_cup")


def _put(name: str, where: str, **more: Any) -> Task:
    others = tuple(x for x in _PANTRY if x != name)
    spoken = name.replace("_", " ")
    preposition = "in" if where == "basket" else "on"
    return Task(
        name=f"{name}_{preposition}_{where}",
        instruction=f"put the {spoken} {preposition} the {where}",
        object=name,
        place=where,
        places=tuple(x for x in ("basket", "plate") if x != where),
        distractors=others,
        **more,
    )


_ALL = (
    _put("egg", "plate"),
    _put("carrot", "basket"),
    _put("carrot", "plate"),
    _put("sponge", "basket"),
    _put("sponge", "plate"),
    _put("red_cup", "basket"),
    _put("red_cup", "plate"),
    Task(
        name="tidy_sponge",
        instruction="tidy the sponge away",
        object="sponge", place="basket", places=("plate",), distractors=("egg", "carrot", "red_cup"),
        reworded=True,
    ),
    _put("egg", "basket", held_out=True),
    Task(
        name="bread_to_plate",
        instruction="move the bread from the toaster to the plate",
        object="bread", place="plate", places=("basket",), distractors=("egg", "sponge"), start_in="toaster",
        held_out=True,
    ),
    Task(
        name="stack_cups",
        instruction="stack the red cup on the green cup",
        object="red_cup", place="green_cup", places=("plate",), distractors=("egg", "carrot"), held_out=True,
    ),
    Task(
        name="ring_on_stand",
        instruction="hang the ring on the stand",
        object="ring", place="stand", places=("plate",), distractors=("egg", "sponge"), held_out=True,
    ),
)  # fmt: skip

TASKS: dict[str, Task] = {task.name: task for task in _ALL}
TRAINING = tuple(task.name for task in _ALL if not task.held_out and not task.reworded)
HELD_OUT = tuple(task.name for task in _ALL if task.held_out)
DEMO = "tidy_sponge"


def find_task(name: str) -> Task:
    """The task of that name.

    Raises:
        TaskError: there is none; the message lists the names.
    """
    if name not in TASKS:
        raise TaskError(f"no task is called {name!r}; there are: {', '.join(TASKS)}")
    return TASKS[name]


@dataclass(frozen=True)
class Layout:
    """Where the things of one episode lie: name -> (x, y, z, yaw) in the base frame [m, rad]."""

    poses: dict[str, tuple[float, float, float, float]]


def lay_out(task: Task, rng: np.random.Generator) -> Layout:
    """Draw where everything lies, without overlap.

    Raises:
        TaskError: no free spot was found for a thing.
    """
    count = int(rng.integers(1, len(task.distractors) + 1)) if task.distractors else 0
    chosen = [str(x) for x in rng.choice(task.distractors, size=count, replace=False)] if count else []
    fixture = [task.start_in] if task.start_in else []
    loose = [*([] if task.start_in else [task.object]), *chosen]
    for _ in range(1000):  # a bad draw of the large things can leave no room: draw all anew
        poses: dict[str, tuple[float, float, float, float]] = {}
        if all(_drop(name, poses, rng) for name in [task.place, *task.places, *fixture, *loose]):
            if task.start_in:
                x, y, z, yaw = poses[task.start_in]
                poses[task.object] = (x, y, z + THINGS[task.object].rest_height, yaw)
            return Layout(poses)
    raise TaskError(f"no room on the table for the things of task {task.name!r}")


def _drop(name: str, poses: dict[str, tuple[float, float, float, float]], rng: np.random.Generator) -> bool:
    thing = THINGS[name]
    # Fixtures stand square to the base; loose things are turned at most as far as the wrist follows with ease.
    yaw = float(rng.uniform(-0.6, 0.6)) if thing.loose else 0.0
    for _ in range(30):
        x, y = float(rng.uniform(*TABLE_X)), float(rng.uniform(*TABLE_Y))
        if all(
            np.hypot(x - other[0], y - other[1]) > thing.clearance + THINGS[key].clearance
            for key, other in poses.items()
        ):
            poses[name] = (x, y, thing.rest_height, yaw)
            return True
    return False


def is_done(task: Task, object_position: np.ndarray, place_position: np.ndarray) -> bool:
    """Whether the object lies at the place: origins within the place's radius, resting at the height it offers.

    Both positions (3,) m, base frame. That it was let go and lies still is for the cell to see.
    """
    thing, place = THINGS[task.object], THINGS[task.place]
    away = float(np.hypot(*(object_position - place_position)[:2]))
    bottom = place_position[2] - place.rest_height
    height = float(object_position[2] - bottom - place.top)
    lowest = min(thing.rest_height, 0.015) - 0.012  # things may come to lie on another side
    return away <= place.radius and lowest <= height <= thing.rest_height + 0.025
