"""Pictures of scattered things: what the policy's eyes are taught on, beside the demonstrations.

The experts' scenes are few, one an episode, and some fixtures stand in few of them; here every second picture is of a
new scene. There is no task, no expert and no action. The arm is put anywhere over the table, half of the time close to
a thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from frs_sim.cell import Cell, Eyes
from frs_sim.frames import look, seen, write_columns, write_shards
from frs_sim.layout import TABLE
from frs_sim.tasks import FIRST_HELD_OUT_SEED, TRAINING
from frs_steering.robot.fr3 import RESET_POSITION
from frs_steering.robot.kinematics import joint_velocity, tcp_pose

SCENES_PER_SHARD = 200
VIEWS = 2  # poses of the arm a scene
HEIGHTS = (0.03, 0.35)  # m, of the TCP
CLOSE = 0.08  # m, a pose close to a thing is at most that far beside it
YAW = 0.8  # rad, of the hand: somewhat more than loose things are turned
TILT = 0.1  # rad, standard deviation
REACHED = 0.002  # m


@dataclass(frozen=True)
class Shard:
    """Scenes `first` .. `first + count - 1`: the columns of `frames.seen`, `VIEWS` frames a scene."""

    first: int
    count: int
    seed: int
    image_size: int

    def path(self, directory: Path) -> Path:
        """Where it lies."""
        return directory / f"{self.seed}-{self.first:06d}.npz"


def scatter(scenes: int, directory: Path, *, seed: int = 0, jobs: int = 2, image_size: int = 64) -> list[Path]:
    """Lay out so many scenes, look at each from `VIEWS` poses of the arm, and return the shards' paths."""
    shards = [
        Shard(first, min(SCENES_PER_SHARD, scenes - first), seed, image_size)
        for first in range(0, scenes, SCENES_PER_SHARD)
    ]
    return write_shards(shards, directory, _write, jobs, "scene")


_cell: Cell | None = None
_eyes: Eyes | None = None


def _write(shard: Shard, directory: Path) -> int:
    global _cell, _eyes  # one cell and one GL context a worker process
    if _cell is None:
        cv2.setNumThreads(1)
        _cell = Cell(TRAINING[0], 0)
        _eyes = Eyes(_cell.model)
    assert _eyes is not None
    frames = []
    for index in range(shard.first, shard.first + shard.count):
        rng = np.random.default_rng([shard.seed, index])
        _cell.scatter(int(rng.integers(FIRST_HELD_OUT_SEED)))
        there = list(_cell.truth().positions.values())
        for _ in range(VIEWS):
            _cell.place_arm(_pose(there, rng), float(rng.random() < 0.5) * rng.uniform(0.0, 1.0))
            frames.append(
                {key: value[None] for key, value in seen(_cell, look(_cell, _eyes), shard.image_size).items()}
            )
    write_columns(frames, shard.path(directory))
    return shard.count


def _pose(there: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    # Anywhere over the table or close to one of the things, the hand pointing down, more or less.
    while True:
        at = np.array([rng.uniform(*TABLE[0]), rng.uniform(*TABLE[1]), rng.uniform(*HEIGHTS)])
        if rng.random() < 0.5:
            near = there[int(rng.integers(len(there)))]
            at = np.array([*(near[:2] + rng.uniform(-CLOSE, CLOSE, 2)), rng.uniform(HEIGHTS[0], HEIGHTS[0] + CLOSE)])
        turned = np.array([*rng.normal(0.0, TILT, 2), rng.uniform(-YAW, YAW)])
        joints = _reach(at, turned)
        if np.linalg.norm(tcp_pose(joints)[:3, 3] - at) < REACHED:
            return joints


def _reach(at: np.ndarray, turned: np.ndarray) -> np.ndarray:
    """Joint positions that bring the TCP to `at` (3,) m, turned by a rotation vector (3,) rad from the reset's pose."""
    joints, start, steps = np.array(RESET_POSITION), tcp_pose(RESET_POSITION)[:3, 3], 20
    for step in range(steps):
        goal = start + (at - start) * (step + 1) / steps
        joints = joints + joint_velocity(joints, np.array([*(goal - tcp_pose(joints)[:3, 3]), *(turned / steps)]))
    return joints
