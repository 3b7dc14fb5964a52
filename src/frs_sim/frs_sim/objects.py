"""The loose things on the table: what can be grasped, carried or pushed."""

from __future__ import annotations

import math
from collections.abc import Callable

import mujoco

from frs_sim.fixtures import FIXTURES
from frs_sim.things import Thing, geom, within

_BOX, _CYLINDER, _CAPSULE = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_CYLINDER, mujoco.mjtGeom.mjGEOM_CAPSULE
RING_SIDES = 10
RING_RADIUS = 0.040  # m, of the middle of the tube
RING_TUBE = 0.009  # m


def _egg(body: mujoco.MjsBody) -> None:
    # A short capsule along x: a rigid ellipsoid has one point of contact and shoots out of a grip that is 1 cm off.
    geom(body, _CAPSULE, (0.021, 0.009), (0.96, 0.90, 0.76), quat=[0.7071068, 0.0, 0.7071068, 0.0])


def _carrot(body: mujoco.MjsBody) -> None:
    geom(body, _BOX, (0.034, 0.014, 0.016), (0.95, 0.45, 0.05))
    geom(body, _BOX, (0.010, 0.009, 0.010), (0.15, 0.55, 0.15), pos=[-0.044, 0.0, 0.0])


def _sponge(body: mujoco.MjsBody) -> None:
    geom(body, _BOX, (0.022, 0.022, 0.020), (0.20, 0.35, 0.85))


def _cup(rgb: tuple[float, float, float]) -> Callable[[mujoco.MjsBody], None]:
    return lambda body: geom(body, _CYLINDER, (0.026, 0.028), rgb)


def _bread(body: mujoco.MjsBody) -> None:
    geom(body, _BOX, (0.035, 0.010, 0.040), (0.80, 0.58, 0.30), density=250.0)


def _dish(body: mujoco.MjsBody) -> None:
    # Square: a round one rolls off when it is put down on its edge.
    geom(body, _BOX, (0.040, 0.007, 0.040), (0.93, 0.93, 0.97), density=250.0)
    geom(body, _BOX, (0.025, 0.0075, 0.025), (0.35, 0.45, 0.75), density=1.0, contype=0, conaffinity=0)


def _ring(rgb: tuple[float, float, float]) -> Callable[[mujoco.MjsBody], None]:
    def build(body: mujoco.MjsBody) -> None:
        for i in range(RING_SIDES):
            a, b = (2 * math.pi * k / RING_SIDES for k in (i, i + 1))
            ends = [f(x) * RING_RADIUS for x in (a, b) for f in (math.cos, math.sin)]
            geom(body, _CAPSULE, (RING_TUBE,), rgb, fromto=[ends[0], ends[1], 0.0, ends[2], ends[3], 0.0])

    return build


def _box(body: mujoco.MjsBody) -> None:
    # Wider than the gripper opens: it can only be pushed. Lower than the palm of a hand that pushes it.
    # Its own slippery contact goes before the fingers' rubber, which would press it into the table.
    geom(
        body, _BOX, (0.030, 0.055, 0.020), (0.55, 0.40, 0.25), density=300.0,
        priority=1, friction=(0.4, 0.005, 0.0001), solref=[0.006, 1.0],
    )  # fmt: skip


def _cup_thing(name: str, rgb: tuple[float, float, float]) -> Thing:
    return Thing(
        name, _cup(rgb), loose=True, rest_height=0.028, grasp=(0.0, 0.0, 0.008), footprint=within(0.05),
        top=0.056, radius=0.02,
    )  # fmt: skip


def _ring_thing(name: str, rgb: tuple[float, float, float]) -> Thing:
    # Held at its rim, across the tube: one finger inside, one outside.
    return Thing(
        name, _ring(rgb), loose=True, rest_height=RING_TUBE, grasp=(0.0, 0.038, 0.0), grasp_yaw=True,
        footprint=within(0.07),
    )  # fmt: skip


_LOOSE = (
    Thing("egg", _egg, loose=True, rest_height=0.021, grasp=(0.0, 0.0, -0.003)),
    Thing("carrot", _carrot, loose=True, rest_height=0.016, grasp_yaw=True, footprint=within(0.065)),
    Thing("sponge", _sponge, loose=True, rest_height=0.020, grasp_yaw=True),
    _cup_thing("red_cup", (0.80, 0.12, 0.12)),
    _cup_thing("green_cup", (0.12, 0.60, 0.20)),
    _cup_thing("blue_cup", (0.15, 0.25, 0.75)),
    Thing("bread", _bread, loose=True, rest_height=0.040, grasp=(0.0, 0.0, 0.022), grasp_yaw=True),
    Thing("dish", _dish, loose=True, rest_height=0.040, grasp=(0.0, 0.0, 0.022), grasp_yaw=True),
    _ring_thing("ring", (0.65, 0.15, 0.65)),
    _ring_thing("hoop", (0.90, 0.80, 0.10)),
    Thing(
        "box", _box, loose=True, rest_height=0.020, grasp=None, footprint=((0.0, 0.0, 0.065), (-0.10, 0.0, 0.05)),
        area=((0.44, 0.49), (-0.20, 0.20)),
    ),
)  # fmt: skip

THINGS: dict[str, Thing] = {thing.name: thing for thing in (*_LOOSE, *FIXTURES)}
"""Every body that a task can ask for, by name."""
