"""Where everything lies at the start of an episode, drawn from the scene's seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from frs_sim.fixtures import DRAWER_TRAVEL
from frs_sim.goals import Push
from frs_sim.objects import THINGS
from frs_sim.tasks import Task, TaskError
from frs_sim.things import Thing

TABLE = ((0.36, 0.62), (-0.24, 0.24))
"""m, base frame: ranges of x and y in which things are put."""
TURN = 0.6  # rad: loose things are turned at most as far as the wrist follows with ease
PUSH = 0.13  # m, from where the box stands to the middle of the place that it is pushed onto

_PLACES = ("basket", "plate", "mat")
_LOOSE = ("egg", "carrot", "sponge", "red_cup", "blue_cup", "green_cup", "ring", "hoop")
_KITS = (("toaster", "bread"), ("rack", "dish"), ("stand",), ("cabinet",))
_NO_TASK = Task("", "", ())

Pose = tuple[float, float, float, float]


@dataclass(frozen=True)
class Layout:
    """Where the things of one episode lie.

    Attributes:
        poses: name -> (x, y, z, yaw) in the base frame [m, rad]; parts of other things are left out.
        drawer: how far the drawer is out [m].
        shades: name -> factor (3,) on its colours' red, green and blue.
    """

    poses: dict[str, Pose]
    drawer: float
    shades: dict[str, tuple[float, float, float]]


def lay_out(task: Task, rng: np.random.Generator) -> Layout:
    """Draw where everything lies, without overlap, and in which shades.

    Raises:
        TaskError: there is no room for what the task needs.
    """
    for _ in range(1000):  # a bad draw of the large things can leave no room: draw all anew
        poses: dict[str, Pose] = {}
        if all(_drop(task, name, poses, rng) for name in task.things):
            for names in _extras(task, rng):
                if not all(_drop(task, name, poses, rng) for name in names):
                    poses = {name: pose for name, pose in poses.items() if name not in names}
            travel = float(rng.uniform(0.10, DRAWER_TRAVEL)) if task.drawer_open else 0.0
            shades = {name: _shade(rng) for name in ("table", *poses)}
            return Layout(poses, travel, shades)
    raise TaskError(f"no room on the table for the things of task {task.name!r}: {', '.join(task.things)}")


def scatter(rng: np.random.Generator) -> Layout:
    """Draw any things anywhere, without overlap and for no task: what the policy's eyes are taught on."""
    kits = [_KITS[int(index)] for index in rng.permutation(len(_KITS))[: int(rng.integers(1, 3))]]
    places = [(str(name),) for name in rng.permutation(_PLACES)[: int(rng.integers(0, 3))]]
    loose = [(str(name),) for name in rng.permutation((*_LOOSE, "box"))[: int(rng.integers(2, 7))]]
    poses: dict[str, Pose] = {}
    for names in (*kits, *places, *loose):
        if not all(_drop(_NO_TASK, name, poses, rng) for name in names):
            poses = {name: pose for name, pose in poses.items() if name not in names}
    travel = float(rng.uniform(0.0, DRAWER_TRAVEL)) if rng.random() < 0.5 else 0.0
    return Layout(poses, travel, {name: _shade(rng) for name in ("table", *poses)})


def holder(task: Task, name: str) -> str:
    """The fixture that a thing starts in, or nothing: it starts on the table."""
    if task.starts_in and name == task.goals[-1].object:
        return task.starts_in
    return next((kit[0] for kit in _KITS if name in kit[1:]), "")


def _extras(task: Task, rng: np.random.Generator) -> list[tuple[str, ...]]:
    # What may lie there besides, in the order in which it is tried: other places, now and then something large,
    # loose things. So a scene tells little about what will be asked for.
    if task.extras == 0:
        return []
    count = int(rng.integers(1, task.extras + 1))
    large = [_KITS[int(rng.integers(len(_KITS)))]] if rng.random() < 0.35 else []
    places = [(str(name),) for name in rng.permutation(_PLACES)[: int(rng.integers(1, 3))]]
    loose = [(str(name),) for name in rng.permutation(_LOOSE)[:count]]
    return [names for names in (*large, *places, *loose) if not set(names) & set(task.things)]


def _drop(task: Task, name: str, poses: dict[str, Pose], rng: np.random.Generator) -> bool:
    thing = THINGS[name]
    fixture = holder(task, name)
    if fixture:
        x, y, z, yaw = poses[fixture]
        poses[name] = (x, y, z + thing.rest_height, yaw)
        return True
    push = next((goal for goal in task.goals if isinstance(goal, Push)), None)
    if push is not None and name == push.place:
        # The place of a push lies straight ahead of the thing that is to be pushed.
        at = THINGS[push.object].area or TABLE
        x, y = (float(rng.uniform(*side)) for side in at)
        poses[push.object] = (x, y, THINGS[push.object].rest_height, float(rng.uniform(-0.15, 0.15)))
        poses[name] = (x + PUSH, y + float(rng.uniform(-0.01, 0.01)), thing.rest_height, 0.0)
        return True
    if name in poses:
        return True
    # Fixtures stand square to the base.
    yaw = float(rng.uniform(-TURN, TURN)) if thing.loose else 0.0
    for _ in range(30):
        x, y = (float(rng.uniform(*side)) for side in (thing.area or TABLE))
        pose = (x, y, thing.rest_height, yaw)
        if all(_apart(thing, pose, THINGS[other], there) for other, there in poses.items() if not holder(task, other)):
            poses[name] = pose
            return True
    return False


def _apart(one: Thing, pose: Pose, other: Thing, there: Pose) -> bool:
    return all(
        math.hypot(x - ox, y - oy) > radius + oradius
        for x, y, radius in _circles(one, pose)
        for ox, oy, oradius in _circles(other, there)
    )


def _circles(thing: Thing, pose: Pose) -> list[tuple[float, float, float]]:
    x, y, _, yaw = pose
    c, s = math.cos(yaw), math.sin(yaw)
    return [(x + c * dx - s * dy, y + s * dx + c * dy, radius) for dx, dy, radius in thing.footprint]


def _shade(rng: np.random.Generator) -> tuple[float, float, float]:
    red, green, blue = rng.uniform(0.85, 1.15) * rng.uniform(0.92, 1.08, 3)
    return float(red), float(green), float(blue)
