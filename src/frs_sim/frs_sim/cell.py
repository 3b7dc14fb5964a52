"""The simulated DROID cell: physics, robot drive, cameras, truth."""

from __future__ import annotations

import copy
import math
from collections import deque
from dataclasses import dataclass

import mujoco
import numpy as np

from frs_sim.goals import is_reached
from frs_sim.layout import Layout, lay_out, scatter
from frs_sim.objects import THINGS
from frs_sim.scene import IMAGE_SIZE, TIMESTEP, build_model
from frs_sim.tasks import Task, find_task
from frs_steering.policies.interface import GRIPPER_LAGS
from frs_steering.robot.fr3 import FINGER_OPEN, RESET_POSITION, gripper_value
from frs_steering.robot.kinematics import TCP_OFFSET

CONTROL_RATE = 15.0  # Hz, DROID
STILL = 0.05  # m/s, slower than that a thing counts as lying still
SUCCESS_HOLD = 8  # control steps (half a second) for which the success test must hold
ACCELERATION = 10.0  # rad/s^2, FR3 joint acceleration limit (libfranka): the drive ramps no faster
DRIVE_LAG = 0.1  # s, kv/kp of the position servos; fed forward so that the arm does not lag its target
BLOCKED = 0.005  # rad that the goal may lead a blocked joint: it neither winds up nor presses hard (lag: 0.001)
PARKED = -5.0  # m, height where unused things float, under the floor
_LAGS = tuple(round(lag * CONTROL_RATE) for lag in GRIPPER_LAGS)  # control steps


@dataclass(frozen=True)
class Truth:
    """The true state. For experts and the scripted reasoner alone.

    Attributes:
        positions: thing -> (3,) m, base frame; only things on the table.
        quaternions: thing -> (4,) w, x, y, z.
        held: name of the thing between the fingers, or empty; what can't be grasped is never held.
        tcp_position: (3,) m, base frame.
        tcp_quaternion: (4,) w, x, y, z.
        gripper: 0 open .. 1 closed, measured.
    """

    positions: dict[str, np.ndarray]
    quaternions: dict[str, np.ndarray]
    held: str
    tcp_position: np.ndarray
    tcp_quaternion: np.ndarray
    gripper: float


class Cell:
    """One simulated cell. Not thread-safe: a renderer in another thread works on a copy (see `Eyes`)."""

    def __init__(self, task: str, seed: int) -> None:
        """Build the cell and set up `task`; raises TaskError or SceneError."""
        self.model = copy.copy(build_model())  # our own: colours and gravity are changed at each reset
        self._colours = self.model.geom_rgba.copy()
        self.data = mujoco.MjData(self.model)
        self._joints = np.array([self.model.joint(f"fr3_joint{i}").qposadr[0] for i in range(1, 8)])
        self._dofs = np.array([self.model.joint(f"fr3_joint{i}").dofadr[0] for i in range(1, 8)])
        self._finger = int(self.model.joint("finger_joint1").qposadr[0])
        self._hand = self.model.body("hand").id
        self._pads = [self.model.body(name).id for name in ("left_finger", "right_finger")]
        self.reset(task, seed)

    def reset(self, task: str, seed: int) -> str:
        """Lay the task out anew; the same seed gives the same scene. Returns the instruction.

        Raises:
            TaskError: no such task.
        """
        self.task: Task = find_task(task)
        self.seed = seed
        rng = np.random.default_rng(seed)
        self._set_up(lay_out(self.task, rng), rng)
        return self.task.instruction

    def scatter(self, seed: int) -> None:
        """Lay anything out anywhere, for no task; for training of the eyes."""
        rng = np.random.default_rng(seed)
        self._set_up(scatter(rng), rng)

    def place_arm(self, joint_position: np.ndarray, gripper: float) -> bool:
        """Put the arm there at once and at rest: (7,) rad, and 0 open .. 1 closed.

        Returns:
            Whether it touches nothing there.
        """
        self.data.qpos[self._joints] = self._goal = np.array(joint_position)
        self.data.qpos[self._finger : self._finger + 2] = FINGER_OPEN * (1.0 - gripper)
        self.data.qvel[:] = 0.0
        self.send_gripper(gripper)
        mujoco.mj_forward(self.model, self.data)
        self._grips = deque([self.gripper], maxlen=1 + max(_LAGS))
        arm, _ = self._contacts()
        return not arm.any()

    def touches_fixed(self) -> bool:
        """Whether arm, hand or fingers touch what does not give way: the table, a plate, the rack."""
        arm, others = self._contacts()
        return bool((arm & (self.model.body_dofnum[others] == 0)).any())

    def _contacts(self) -> tuple[np.ndarray, np.ndarray]:
        # Of each contact, whether it is of the arm with something else, and the body of that.
        bodies = self.model.geom_bodyid[self.data.contact.geom]
        arm = self.model.body_rootid[bodies] == self.model.body_rootid[self._hand]
        return arm.any(axis=1) & ~arm.all(axis=1), np.where(arm[:, 0], bodies[:, 1], bodies[:, 0])

    def _set_up(self, layout: Layout, rng: np.random.Generator) -> None:
        self._layout = layout
        self._on_table = [name for name, thing in THINGS.items() if (thing.part_of or name) in self._layout.poses]
        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[self._joints] = self._goal = RESET_POSITION + rng.normal(0.0, 0.02, 7)
        self.data.qpos[self._finger : self._finger + 2] = FINGER_OPEN
        for name, thing in THINGS.items():
            if not thing.part_of:
                self._put(name, self._layout.poses.get(name))
        self.data.qpos[self.model.joint("drawer").qposadr[0]] = self._layout.drawer
        self._paint()
        self._velocity = np.zeros(7)
        self.send(np.zeros(7))
        self.send_gripper(0.0)
        self._held_steps = 0
        self.steps = 0
        self.advance(0.2)  # let everything come to rest
        self._grips = deque([self.gripper], maxlen=1 + max(_LAGS))
        self.data.time = 0.0

    def send(self, joint_velocity: np.ndarray) -> None:
        """Set the wanted joint velocity (7,) rad/s; it holds until the next call.

        The drive reaches it evenly within a control step, as a joint trajectory controller does that is sent
        `nodes.trajectory_backend.target`: what it stays behind on the way up it makes good on the way down. One share
        for all joints, so that what lies between two commands is a mixture of the two, and the hand never faster than
        both.
        """
        change = np.asarray(joint_velocity, float) - self._velocity
        limited = math.ceil(np.abs(change).max() / (ACCELERATION * TIMESTEP))
        self._ramp_steps = max(limited, round(1.0 / CONTROL_RATE / TIMESTEP))
        self._ramp = change / self._ramp_steps

    def send_gripper(self, closed: float) -> None:
        """Set the wanted gripper opening, 0 open .. 1 closed."""
        self.data.ctrl[7] = 255.0 * (1.0 - float(np.clip(closed, 0.0, 1.0)))

    def advance(self, seconds: float) -> None:
        """Run the physics and the robot's drive for that long."""
        low, high = self.model.jnt_range[:7].T
        for _ in range(round(seconds / TIMESTEP)):
            if self._ramp_steps:
                self._velocity = self._velocity + self._ramp
                self._ramp_steps -= 1
            # np.clip takes twice the time of the two that it consists of, and this runs 500 times a second.
            measured = self.data.qpos[self._joints]
            goal = np.minimum(np.maximum(self._goal + self._velocity * TIMESTEP, low), high)
            self._goal = np.minimum(np.maximum(goal, measured - BLOCKED), measured + BLOCKED)
            self.data.ctrl[:7] = self._goal + DRIVE_LAG * self._velocity
            mujoco.mj_step(self.model, self.data)

    def step(self, joint_velocity: np.ndarray, gripper: float) -> None:
        """One control step (1/15 s): command, advance, judge success."""
        self.send(joint_velocity)
        self.send_gripper(gripper)
        # Whole timesteps, and none lost: rounded by itself each control step would be 1 % short, and so the arm's way.
        begin, end = (round(step / CONTROL_RATE / TIMESTEP) for step in (self.steps, self.steps + 1))
        self.advance((end - begin) * TIMESTEP)
        self.step_success()

    def step_success(self) -> bool:
        """Judge success; call once a control step. True once the test has held for half a second."""
        self.steps += 1
        self._grips.append(self.gripper)
        self._held_steps = self._held_steps + 1 if self._is_done_now() else 0
        return self.success

    @property
    def success(self) -> bool:
        """Whether the success test has held for half a second up to the last control step."""
        return self._held_steps >= SUCCESS_HOLD

    @property
    def joint_position(self) -> np.ndarray:
        """(7,) rad, measured."""
        return self.data.qpos[self._joints].copy()

    @property
    def joint_velocity(self) -> np.ndarray:
        """(7,) rad/s, measured."""
        return self.data.qvel[self._dofs].copy()

    @property
    def finger(self) -> float:
        """Travel of one finger, 0 closed .. 0.04 m open."""
        return float(self.data.qpos[self._finger])

    @property
    def gripper(self) -> float:
        """0 open .. 1 closed, measured."""
        return gripper_value(self.finger)

    @property
    def gripper_before(self) -> tuple[float, float]:
        """The gripper GRIPPER_LAGS ago; where that is before the reset, at the reset."""
        first, second = (self._grips[max(0, len(self._grips) - 1 - lag)] for lag in _LAGS)
        return first, second

    def truth(self) -> Truth:
        """The true state; see `Truth`."""
        rotation = self.data.xmat[self._hand].reshape(3, 3)
        return Truth(
            positions=self._positions(),
            quaternions={name: self.data.body(name).xquat.copy() for name in self._on_table},
            held=self._held(),
            tcp_position=self.data.xpos[self._hand] + rotation @ [0.0, 0.0, TCP_OFFSET],
            tcp_quaternion=self.data.xquat[self._hand].copy(),
            gripper=self.gripper,
        )

    def _put(self, name: str, pose: tuple[float, float, float, float] | None) -> None:
        body = self.model.body(name)
        x, y, z, yaw = (0.5 * list(THINGS).index(name), 0.0, PARKED, 0.0) if pose is None else pose
        quat = [np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)]
        if THINGS[name].loose:
            at = int(self.model.joint(name).qposadr[0])
            self.data.qpos[at : at + 7] = [x, y, z, *quat]
            self.model.body_gravcomp[body.id] = 1.0 if pose is None else 0.0  # parked things float
        else:
            self.data.mocap_pos[body.mocapid[0]] = [x, y, z]
            self.data.mocap_quat[body.mocapid[0]] = quat

    def _positions(self) -> dict[str, np.ndarray]:
        return {name: self.data.body(name).xpos.copy() for name in self._on_table}

    def _paint(self) -> None:
        # Each thing, its parts and the table in the layout's shade; what is parked is not drawn, which takes time too.
        self.model.geom_rgba[:] = self._colours
        for index, body in enumerate(self.model.geom_bodyid):
            name = self.model.body(body).name
            name = (THINGS[name].part_of or name) if name in THINGS else self.model.geom(index).name
            if name in self._layout.shades:
                shade = self._colours[index, :3] * self._layout.shades[name]
                self.model.geom_rgba[index, :3] = shade.clip(0.0, 1.0)
            elif name in THINGS:
                self.model.geom_rgba[index, 3] = 0.0

    def _held(self) -> str:
        touched: tuple[set[int], set[int]] = (set(), set())
        for first, second in self.model.geom_bodyid[self.data.contact.geom]:
            for pad, others in zip(self._pads, touched, strict=True):
                if first == pad or second == pad:
                    others.add(int(second if first == pad else first))
        both = [self.model.body(b).name for b in touched[0] & touched[1]]
        return next((name for name in both if name in THINGS and THINGS[name].grasp is not None), "")

    def _is_done_now(self) -> bool:
        positions = self._positions()
        held = self._held()
        return all(
            is_reached(goal, positions)
            and held != goal.object
            and float(np.linalg.norm(self.data.body(goal.object).cvel[3:])) < STILL
            for goal in self.task.goals
        )


class Eyes:
    """Renders the cameras of a cell. Owns a GL context: use one object from one thread only."""

    def __init__(self, model: mujoco.MjModel) -> None:
        self._renderer = mujoco.Renderer(model, IMAGE_SIZE, IMAGE_SIZE)
        for flag in (mujoco.mjtRndFlag.mjRND_SKYBOX, mujoco.mjtRndFlag.mjRND_REFLECTION, mujoco.mjtRndFlag.mjRND_HAZE):
            self._renderer.scene.flags[flag] = 0  # the cell has none of them, and in software they take a third

    def look(self, data: mujoco.MjData, camera: str) -> np.ndarray:
        """(224, 224, 3) uint8 RGB as `camera` ("exterior" or "wrist") sees `data`."""
        self._renderer.update_scene(data, camera)
        return self._renderer.render()

    def close(self) -> None:
        """Free the GL context."""
        self._renderer.close()
