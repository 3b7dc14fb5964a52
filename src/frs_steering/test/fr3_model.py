"""MuJoCo's FR3 from the franky-sim wheel, to check our kinematics against: found, never imported."""

from __future__ import annotations

import functools
import importlib.util
import pathlib
from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np

from frs_steering.robot.fr3 import FINGER_OPEN
from frs_steering.robot.kinematics import TCP_OFFSET

LOW_BODIES = ("fr3_link5", "fr3_link6", "fr3_link7", "hand", "left_finger", "right_finger")
COLLISION_GROUP = 3
FARTHEST = 0.3
"""Distances beyond are not told apart [m]."""


def folder() -> pathlib.Path:
    """Where the wheel is installed."""
    wheel = importlib.util.find_spec("franky_sim")
    assert wheel is not None, "franky-sim is not installed"
    assert wheel.submodule_search_locations
    return pathlib.Path(wheel.submodule_search_locations[0])


@functools.cache
def load() -> tuple[Any, Any]:
    """The compiled model with a site named `tcp`, and its data."""
    spec = mujoco.MjSpec.from_file(str(next(folder().rglob("fr3.xml"))))
    spec.meshdir = str(next(folder().rglob("link0_coll.stl")).parent)
    # The model writes the hand's -45 degrees with seven digits; ours is exact.
    hand = spec.body("hand")
    hand.quat = [np.cos(np.pi / 8), 0, 0, -np.sin(np.pi / 8)]
    hand.add_site(name="tcp", pos=[0, 0, TCP_OFFSET])
    model = spec.compile()
    return model, mujoco.MjData(model)


def at(position: np.ndarray) -> tuple[Any, Any]:
    """Model and data with the joints at `position` (7,) [rad] and the fingers open."""
    model, data = load()
    data.qpos[:7], data.qpos[7:9] = position, FINGER_OPEN
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    return model, data


def lowest(position: np.ndarray) -> float:
    """Height [m] of the lowest point of forearm, wrist, hand and fingers."""
    model, data = at(position)
    heights = []
    for body in LOW_BODIES:
        for geom in np.flatnonzero(model.geom_bodyid == model.body(body).id):
            if model.geom_group[geom] == COLLISION_GROUP and model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_MESH:
                mesh = model.geom_dataid[geom]
                first, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
                vertices = model.mesh_vert[first : first + count]
                heights.append((vertices @ data.geom_xmat[geom].reshape(3, 3)[2]).min() + data.geom_xpos[geom][2])
    return float(min(heights))


def distance(position: np.ndarray, some: Sequence[str], others: Sequence[str]) -> float:
    """Least distance between the collision geometry of bodies [m], negative inside, FARTHEST at most."""
    model, data = at(position)
    first, second = _geoms(tuple(some)), _geoms(tuple(others))
    return min(mujoco.mj_geomDistance(model, data, a, b, FARTHEST, None) for a in first for b in second)


def touches(position: np.ndarray, some: str, other: str) -> bool:
    """Whether the collision geometry of two bodies meets."""
    model, data = at(position)
    pairs = [(a, b) for a in _geoms((some,)) for b in _geoms((other,))]
    return any(mujoco.mj_geomDistance(model, data, a, b, 0.001, None) < 0 for a, b in pairs)


@functools.cache
def _geoms(bodies: tuple[str, ...]) -> list[int]:
    model, _ = load()
    numbers = [model.body(body).id for body in bodies]
    return [
        geom
        for geom in range(model.ngeom)
        if model.geom_bodyid[geom] in numbers and model.geom_group[geom] == COLLISION_GROUP
    ]
