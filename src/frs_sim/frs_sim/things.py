"""What a body of the scene is: how it is built, and what an expert must know to handle it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mujoco

FRICTION = (1.2, 0.02, 0.002)  # sliding, torsional [m], rolling [m]: high enough that a held egg does not turn


Circles = tuple[tuple[float, float, float], ...]
"""Circles (x, y, radius) [m] on the table."""


@dataclass(frozen=True)
class Thing:
    """A body of the scene.

    Attributes:
        name: of the body.
        build: adds the geoms to an empty body.
        loose: can be grasped and moved; otherwise it stays where the reset puts it.
        rest_height: m, of the body's origin above the table when it rests there.
        grasp: m, where the fingers close, in the body's frame; None where it can't be grasped.
        grasp_yaw: the grasp needs the fingers to close along the body's own y axis.
        footprint: circles (x, y, radius) [m] on the table, in the body's frame, that no other thing may enter.
        area: ranges ((x0, x1), (y0, y1)) [m] of the origin on the table, or None: anywhere.
        top: m, height above its origin's resting place of the surface it offers as a place (0 where it is no place).
        radius: m, within which a put object's origin counts as there (0 where it is no place).
        part_of: name of the thing whose build makes this body too; then it has no place of its own.
    """

    name: str
    build: Callable[[mujoco.MjsBody], None]
    loose: bool
    rest_height: float
    grasp: tuple[float, float, float] | None = (0.0, 0.0, 0.0)
    grasp_yaw: bool = False
    footprint: Circles = ((0.0, 0.0, 0.05),)
    area: tuple[tuple[float, float], tuple[float, float]] | None = None
    top: float = 0.0
    radius: float = 0.0
    part_of: str = ""


def geom(
    body: mujoco.MjsBody, kind: mujoco.mjtGeom, size: tuple[float, ...], rgb: tuple[float, ...], **more: Any
) -> None:
    """Add a geom with the contact parameters that all things share; `size` as MuJoCo's, m."""
    more = {"density": 400.0, "friction": FRICTION, "condim": 6, **more}
    body.add_geom(type=kind, size=[*size, *[0.0] * (3 - len(size))], rgba=[*rgb, 1.0], **more)


def within(radius: float) -> Circles:
    """The footprint of a round thing."""
    return ((0.0, 0.0, radius),)
