"""The things on the table: loose objects that can be grasped, and places that hold them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mujoco

FRICTION = (1.2, 0.02, 0.002)  # sliding, torsional [m], rolling [m]: high enough that a held egg does not turn


@dataclass(frozen=True)
class Thing:
    """A body of the scene and what an expert must know to handle it.

    Attributes:
        name: of the body.
        build: adds the geoms to an empty body.
        loose: can be grasped and moved; otherwise it stays where the reset puts it.
        rest_height: m, of the body's origin above the table when it rests there.
        grasp: m, where the fingers close, in the body's frame.
        grasp_yaw: the grasp needs the fingers to close along the body's own y axis.
        clearance: m, radius on the table that no other thing may enter.
        top: m, height above the table of the surface it offers as a place (0 where it is not a place).
        radius: m, within which a put object's origin counts as there (0 where it is not a place).
    """

    name: str
    build: Callable[[mujoco.MjsBody], None]
    loose: bool
    rest_height: float
    grasp: tuple[float, float, float] = (0.0, 0.0, 0.0)
    grasp_yaw: bool = False
    clearance: float = 0.05
    top: float = 0.0
    radius: float = 0.0


def _geom(
    body: mujoco.MjsBody, kind: mujoco.mjtGeom, size: tuple[float, ...], rgba: tuple[float, ...], **more: Any
) -> None:
    more = {"density": 400.0, **more}
    body.add_geom(
        type=kind, size=[*size, *[0.0] * (3 - len(size))], rgba=[*rgba, 1.0], friction=FRICTION, condim=6, **more
    )


def _egg(body: mujoco.MjsBody) -> None:
    # A short capsule along x: a rigid ellipsoid has one point of contact and shoots out of a grip that is 1 cm off.
    _geom(
        body, mujoco.mjtGeom.mjGEOM_CAPSULE, (0.021, 0.009), (0.96, 0.90, 0.76), quat=[0.7071068, 0.0, 0.7071068, 0.0]
    )


def _carrot(body: mujoco.MjsBody) -> None:
    _geom(body, mujoco.mjtGeom.mjGEOM_BOX, (0.042, 0.014, 0.016), (0.95, 0.45, 0.05))
    _geom(body, mujoco.mjtGeom.mjGEOM_BOX, (0.012, 0.009, 0.010), (0.15, 0.55, 0.15), pos=[-0.052, 0.0, 0.0])


def _sponge(body: mujoco.MjsBody) -> None:
    _geom(body, mujoco.mjtGeom.mjGEOM_BOX, (0.022, 0.022, 0.020), (0.20, 0.35, 0.85))


def _cup(rgb: tuple[float, float, float]) -> Callable[[mujoco.MjsBody], None]:
    def build(body: mujoco.MjsBody) -> None:
        _geom(body, mujoco.mjtGeom.mjGEOM_CYLINDER, (0.026, 0.028), rgb)

    return build


def _bread(body: mujoco.MjsBody) -> None:
    _geom(body, mujoco.mjtGeom.mjGEOM_BOX, (0.035, 0.010, 0.040), (0.80, 0.58, 0.30), density=250.0)


def _ring(body: mujoco.MjsBody) -> None:
    radius, sides = 0.040, 10
    for i in range(sides):
        a, b = (2 * math.pi * k / sides for k in (i, i + 1))
        ends = [radius * math.cos(a), radius * math.sin(a), 0.0, radius * math.cos(b), radius * math.sin(b), 0.0]
        _geom(body, mujoco.mjtGeom.mjGEOM_CAPSULE, (0.009,), (0.65, 0.15, 0.65), fromto=ends)


def _basket(body: mujoco.MjsBody) -> None:
    rgb, half, wall, height = (0.45, 0.28, 0.14), 0.065, 0.004, 0.022
    _geom(body, mujoco.mjtGeom.mjGEOM_BOX, (half, half, 0.003), rgb, pos=[0.0, 0.0, 0.003])
    for sign in (-1, 1):
        _geom(body, mujoco.mjtGeom.mjGEOM_BOX, (wall, half, height), rgb, pos=[sign * half, 0.0, height])
        _geom(body, mujoco.mjtGeom.mjGEOM_BOX, (half, wall, height), rgb, pos=[0.0, sign * half, height])


def _plate(body: mujoco.MjsBody) -> None:
    _geom(body, mujoco.mjtGeom.mjGEOM_CYLINDER, (0.075, 0.005), (0.20, 0.65, 0.65), pos=[0.0, 0.0, 0.005])


def _toaster(body: mujoco.MjsBody) -> None:
    rgb = (0.55, 0.55, 0.60)
    for sign in (-1, 1):
        _geom(body, mujoco.mjtGeom.mjGEOM_BOX, (0.055, 0.012, 0.018), rgb, pos=[0.0, sign * 0.025, 0.018])


def _stand(body: mujoco.MjsBody) -> None:
    rgb = (0.12, 0.12, 0.12)
    _geom(body, mujoco.mjtGeom.mjGEOM_CYLINDER, (0.045, 0.005), rgb, pos=[0.0, 0.0, 0.005])
    _geom(body, mujoco.mjtGeom.mjGEOM_CAPSULE, (0.008, 0.042), rgb, pos=[0.0, 0.0, 0.050])


_ALL = (
    Thing("egg", _egg, loose=True, rest_height=0.021),
    Thing("carrot", _carrot, loose=True, rest_height=0.016, grasp_yaw=True, clearance=0.065),
    Thing("sponge", _sponge, loose=True, rest_height=0.020, grasp_yaw=True),
    Thing("red_cup", _cup((0.80, 0.12, 0.12)), loose=True, rest_height=0.028, grasp=(0.0, 0.0, 0.008)),
    Thing("green_cup", _cup((0.12, 0.60, 0.20)), loose=True, rest_height=0.028, top=0.056, radius=0.02),
    Thing("bread", _bread, loose=True, rest_height=0.040, grasp=(0.0, 0.0, 0.022), grasp_yaw=True),
    Thing("ring", _ring, loose=True, rest_height=0.009, grasp=(0.0, 0.038, 0.0), grasp_yaw=True, clearance=0.07),
    Thing("basket", _basket, loose=False, rest_height=0.0, clearance=0.095, top=0.006, radius=0.055),
    Thing("plate", _plate, loose=False, rest_height=0.0, clearance=0.085, top=0.010, radius=0.060),
    Thing("toaster", _toaster, loose=False, rest_height=0.0, clearance=0.080),
    Thing("stand", _stand, loose=False, rest_height=0.0, clearance=0.080, top=0.010, radius=0.030),
)

THINGS: dict[str, Thing] = {thing.name: thing for thing in _ALL}
"""Every body that a task can ask for, by name."""
