"""What stays where the reset puts it: places to put things, holders that things start in, and the cabinet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mujoco

from frs_sim.things import Circles, Thing, geom, within

_BOX, _CYLINDER, _CAPSULE = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_CYLINDER, mujoco.mjtGeom.mjGEOM_CAPSULE
DRAWER_TRAVEL = 0.13  # m, along -x of the base frame, toward the robot
DRAWER_OPEN = 0.09  # m, from here on it counts as open
DRAWER_CLOSED = 0.02  # m, up to here it counts as closed
KNOB = (-0.085, 0.0, 0.034)  # m, where the fingers close, in the drawer's frame
STAND_TOP = 0.055  # m; a higher peg would meet the palm when a ring, held at its rim, is lowered over it


def _basket(body: mujoco.MjsBody) -> None:
    rgb, half, wall, height = (0.45, 0.28, 0.14), 0.065, 0.004, 0.022
    geom(body, _BOX, (half, half, 0.003), rgb, pos=[0.0, 0.0, 0.003])
    for sign in (-1, 1):
        geom(body, _BOX, (wall, half, height), rgb, pos=[sign * half, 0.0, height])
        geom(body, _BOX, (half, wall, height), rgb, pos=[0.0, sign * half, height])


def _plate(body: mujoco.MjsBody) -> None:
    geom(body, _CYLINDER, (0.075, 0.005), (0.20, 0.65, 0.65), pos=[0.0, 0.0, 0.005])


def _mat(body: mujoco.MjsBody) -> None:
    # Cloth: it is seen, and nothing bumps into its edge.
    geom(body, _BOX, (0.070, 0.070, 0.0008), (0.75, 0.30, 0.40), pos=[0.0, 0.0, 0.0008], contype=0, conaffinity=0)


def _toaster(body: mujoco.MjsBody) -> None:
    for sign in (-1, 1):
        geom(body, _BOX, (0.055, 0.012, 0.018), (0.55, 0.55, 0.60), pos=[0.0, sign * 0.025, 0.018])


def _rack(body: mujoco.MjsBody) -> None:
    rgb = (0.25, 0.30, 0.28)
    for sign in (-1, 1):
        for x in (-0.030, 0.030):
            geom(body, _CAPSULE, (0.005, 0.022), rgb, pos=[x, sign * 0.0155, 0.022])
        geom(body, _BOX, (0.004, 0.022, 0.014), rgb, pos=[sign * 0.048, 0.0, 0.014])


def _stand(body: mujoco.MjsBody) -> None:
    rgb = (0.12, 0.12, 0.12)
    geom(body, _CYLINDER, (0.045, 0.004), rgb, pos=[0.0, 0.0, 0.004])
    half = (STAND_TOP - 0.008) / 2
    geom(body, _CAPSULE, (0.007, half - 0.0035), rgb, pos=[0.0, 0.0, 0.008 + half - 0.0035])


def _cabinet(body: mujoco.MjsBody) -> None:
    rgb = (0.50, 0.42, 0.55)
    for sign in (-1, 1):
        geom(body, _BOX, (0.068, 0.004, 0.028), rgb, pos=[0.004, sign * 0.072, 0.028])
    geom(body, _BOX, (0.004, 0.068, 0.028), rgb, pos=[0.068, 0.0, 0.028])
    geom(body, _BOX, (0.068, 0.076, 0.003), rgb, pos=[0.004, 0.0, 0.059])  # the roof hides what is in the drawer
    drawer = body.add_body(name="drawer")
    drawer.add_joint(
        name="drawer", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[-1.0, 0.0, 0.0], range=[0.0, DRAWER_TRAVEL],
        limited=mujoco.mjtLimited.mjLIMITED_TRUE, damping=[8.0, 0.0, 0.0], frictionloss=1.0, armature=0.1,
    )  # fmt: skip
    inside, front = (0.85, 0.80, 0.88), (0.62, 0.52, 0.68)
    geom(drawer, _BOX, (0.060, 0.062, 0.003), inside, pos=[0.0, 0.0, 0.005])
    for sign in (-1, 1):
        geom(drawer, _BOX, (0.060, 0.003, 0.017), inside, pos=[0.0, sign * 0.062, 0.021])
    geom(drawer, _BOX, (0.003, 0.062, 0.017), inside, pos=[0.060, 0.0, 0.021])
    geom(drawer, _BOX, (0.004, 0.066, 0.022), front, pos=[-0.060, 0.0, 0.026])
    geom(drawer, _BOX, (0.010, 0.005, 0.005), (0.95, 0.85, 0.20), pos=[-0.073, 0.0, 0.034])
    geom(drawer, _BOX, (0.006, 0.010, 0.020), (0.95, 0.85, 0.20), pos=[KNOB[0], 0.0, 0.030])


def _nothing(body: mujoco.MjsBody) -> None:
    """Built with the thing that it is a part of."""


def _fixed(name: str, build: Callable[[mujoco.MjsBody], None], footprint: Circles, **more: Any) -> Thing:
    return Thing(name, build, loose=False, rest_height=0.0, grasp=None, footprint=footprint, **more)


FIXTURES = (
    _fixed("basket", _basket, within(0.095), top=0.006, radius=0.055),
    _fixed("plate", _plate, within(0.085), top=0.010, radius=0.060),
    _fixed("mat", _mat, within(0.090), top=0.0005, radius=0.065),
    _fixed("toaster", _toaster, within(0.080)),
    _fixed("rack", _rack, within(0.075)),
    _fixed("stand", _stand, within(0.080), top=0.008, radius=0.030),
    _fixed(
        "cabinet", _cabinet, ((0.0, 0.0, 0.095), (-0.13, 0.0, 0.09), (-0.21, 0.0, 0.05)),
        area=((0.62, 0.66), (-0.17, 0.17)),
    ),
    Thing(
        "drawer", _nothing, loose=False, rest_height=0.0, grasp=KNOB, grasp_yaw=True, footprint=(),
        top=0.008, radius=0.050, part_of="cabinet",
    ),
)  # fmt: skip
"""In the order of the scene."""
