"""The model of the DROID cell: FR3 with parallel gripper, table, two cameras, and every thing of the tasks."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import mujoco
import numpy as np

from frs_sim.objects import THINGS
from frs_steering.robot.fr3 import JOINT_NAMES

IMAGE_SIZE = 224  # pixels, both sides, both cameras: what DROID policies resize to
TIMESTEP = 0.002  # s
GRIP_STIFFNESS = 3000.0  # N/m, of the finger servo
GRIP_FORCE = 40.0  # N
TORQUES = (87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0)  # N m, the most that the joints of an FR3 give (its datasheet)


@dataclass(frozen=True)
class CameraPose:
    """A camera: where it is, what it looks at, and its vertical field of view in degrees."""

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    fovy: float


EXTERIOR = CameraPose((1.15, 0.58, 0.66), (0.44, 0.0, 0.13), 40.0)  # in the base frame
WRIST = CameraPose((0.085, 0.0, 0.01), (0.02, 0.0, 0.16), 75.0)  # in the hand's frame
CAMERAS = {"exterior": EXTERIOR, "wrist": WRIST}


class SceneError(RuntimeError):
    """The robot model can't be found; the message says what to install."""


def robot_xml() -> Path:
    """Path of the FR3's MJCF in the installed `franky-sim` wheel (Apache-2.0; not copied into this project).

    Raises:
        SceneError: the wheel is not installed.
    """
    found = importlib.util.find_spec("franky_sim")  # found, not imported: importing it needs pinocchio
    if found is None or found.origin is None:
        raise SceneError("the FR3 model is missing; install it with: pip install --no-deps franky-sim==1.0.4")
    return Path(found.origin).parent / "assets" / "fr3.xml"


@lru_cache(maxsize=1)
def build_model() -> mujoco.MjModel:
    """Compile the cell. Things that a task does not use are parked under the floor at reset."""
    path = robot_xml()
    spec = mujoco.MjSpec.from_string(path.read_text())
    spec.meshdir = str(path.parent / "meshes")  # the file says "assets", the meshes lie elsewhere
    spec.option.timestep = TIMESTEP
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0  # firmer friction: held things do not creep
    spec.option.enableflags |= int(mujoco.mjtEnableBit.mjENBL_SLEEP)  # things at rest cost nothing: 13 instead of 35 us
    spec.visual.global_.offwidth = spec.visual.global_.offheight = IMAGE_SIZE
    spec.visual.quality.shadowsize = spec.visual.quality.offsamples = 0  # software rendering: 142 ms with, 1 ms without
    spec.visual.quality.numslices, spec.visual.quality.numstacks = 16, 8  # round things in fewer triangles
    spec.visual.headlight.ambient = [0.35] * 3
    spec.visual.headlight.diffuse = [0.35] * 3
    spec.visual.headlight.specular = [0.05] * 3
    _strip_visual_meshes(spec)
    _compensate_gravity(spec)
    _limit_torques(spec)
    _grip(spec)
    _furniture(spec)
    _cameras(spec)
    for thing in THINGS.values():
        if thing.part_of:
            continue
        body = spec.worldbody.add_body(name=thing.name, mocap=not thing.loose)
        if thing.loose:
            body.add_freejoint(name=thing.name)
        thing.build(body)
    return spec.compile()


def _strip_visual_meshes(spec: mujoco.MjSpec) -> None:
    # The detailed meshes cost 13 ms an image in software, the collision hulls 0.7 ms; so the hulls are drawn.
    for geom in list(spec.geoms):
        if geom.group == 2:
            spec.delete(geom)
        elif geom.group == 3:
            geom.group = 0
            dark = geom.meshname in ("finger_0", "link0_coll") or geom.type == mujoco.mjtGeom.mjGEOM_BOX
            geom.rgba = [0.25, 0.25, 0.27, 1.0] if dark else [0.92, 0.92, 0.93, 1.0]
    drawn = {geom.meshname for geom in spec.geoms}
    for mesh in list(spec.meshes):
        if mesh.name not in drawn:  # compiling and keeping them takes 0.7 s and 270 MB
            spec.delete(mesh)


def _compensate_gravity(spec: mujoco.MjSpec) -> None:
    for body in spec.bodies:
        if body.name.startswith(("fr3_link", "hand", "left_finger", "right_finger")):
            body.gravcomp = 1.0


def _limit_torques(spec: mujoco.MjSpec) -> None:
    for joint, torque in zip(JOINT_NAMES, TORQUES, strict=True):  # the file's servos push without bounds
        spec.actuator(joint).forcerange = [-torque, torque]


def _grip(spec: mujoco.MjSpec) -> None:
    for name in ("left_finger", "right_finger"):
        for geom in spec.body(name).geoms:
            # Bare metal, whatever it touches: tips that stick to what they are pressed on could not open there.
            geom.friction, geom.priority = [0.2, 0.005, 0.0001], 1
        # Rubber pads as wide as a 2F-85's: from the file's, 17 mm wide with bumps, round things creep out sideways.
        spec.body(name).add_geom(
            type=mujoco.mjtGeom.mjGEOM_BOX, size=[0.011, 0.002, 0.011], pos=[0.0, 0.0015, 0.042], density=0.0,
            friction=[1.5, 0.05, 0.005], condim=6, solref=[0.006, 1.0], rgba=[0.15, 0.15, 0.16, 1.0],
        )  # fmt: skip
        for joint in spec.body(name).joints:  # the file's arm defaults would make the fingers stick
            joint.frictionloss, joint.armature, joint.damping = 0.0, 0.05, [5.0, 0.0, 0.0]
    hand = spec.actuator("hand")  # the file's servo closes with 4 N; the real hand holds with up to 70 N
    hand.gainprm[0], hand.biasprm[1], hand.biasprm[2] = GRIP_STIFFNESS * 0.04 / 255.0, -GRIP_STIFFNESS, -100.0
    hand.forcerange = [-GRIP_FORCE, GRIP_FORCE]


def _furniture(spec: mujoco.MjSpec) -> None:
    world = spec.worldbody
    box, plane = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_PLANE
    world.add_geom(
        name="floor", type=plane, size=[4.0, 4.0, 0.1], pos=[0.0, 0.0, -0.80], rgba=[0.33, 0.35, 0.38, 1.0],
        contype=0, conaffinity=0,  # only seen: a plane pushes up whatever is parked under it
    )  # fmt: skip
    world.add_geom(
        name="table", type=box, size=[0.50, 0.60, 0.02], pos=[0.42, 0.0, -0.02], rgba=[0.62, 0.54, 0.46, 1.0],
        friction=[1.0, 0.01, 0.001],
    )  # fmt: skip
    world.add_light(pos=[0.6, -0.4, 2.0], dir=[0.0, 0.2, -1.0], castshadow=False, diffuse=[0.45] * 3)


def _cameras(spec: mujoco.MjSpec) -> None:
    for name, pose in CAMERAS.items():
        parent = spec.body("hand") if name == "wrist" else spec.worldbody
        parent.add_camera(name=name, pos=pose.position, fovy=pose.fovy, quat=look_at(pose))


def look_at(pose: CameraPose) -> np.ndarray:
    """Quaternion (w, x, y, z) of a MuJoCo camera (looking along -z, y up in the image) at `pose`."""
    back = np.subtract(pose.position, pose.target)
    back /= np.linalg.norm(back)
    # "Up" in the image: the world's z for a camera in the room; away from the fingers' plane for the wrist.
    up = np.array([0.0, 0.0, 1.0]) if abs(back[2]) < 0.85 else np.array([1.0, 0.0, 0.0])
    right = np.cross(up, back)
    right /= np.linalg.norm(right)
    rotation = np.column_stack([right, np.cross(back, right), back])
    quat = np.empty(4)
    mujoco.mju_mat2Quat(quat, rotation.ravel())
    return quat
