"""Pictures of scattered things: what the policy's eyes are taught on, beside the demonstrations.

The experts' scenes are few, one an episode, and some fixtures stand in few of them; here every second picture is of a
new scene. There is no task, no expert and no action. The arm is put anywhere over the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from frs_sim import workshop
from frs_sim.frames import look, seen, write_columns, write_shards
from frs_sim.poses import anywhere
from frs_sim.tasks import FIRST_HELD_OUT_SEED

SCENES_PER_SHARD = 200
VIEWS = 2  # poses of the arm a scene


@dataclass(frozen=True)
class Shard:
    """Scenes `first` .. `first + count - 1`: the columns of `frames.seen`, `VIEWS` frames a scene."""

    first: int
    count: int
    seed: int
    image_size: int

    def path(self, directory: Path) -> Path:
        """Where it lies."""
        return directory / f"{self.seed}-{self.first:06d}-{self.count}.npz"


def scatter(scenes: int, directory: Path, *, seed: int = 0, jobs: int = 2, image_size: int = 64) -> list[Path]:
    """Lay out so many scenes, look at each from `VIEWS` poses of the arm, and return the shards' paths."""
    shards = [
        Shard(first, min(SCENES_PER_SHARD, scenes - first), seed, image_size)
        for first in range(0, scenes, SCENES_PER_SHARD)
    ]
    return write_shards(shards, directory, _write, jobs, "scene")


def _write(shard: Shard, directory: Path) -> int:
    cv2.setNumThreads(1)
    cell, eyes = workshop.cell(), workshop.eyes()
    frames = []
    for index in range(shard.first, shard.first + shard.count):
        rng = np.random.default_rng([shard.seed, index])
        cell.scatter(int(rng.integers(FIRST_HELD_OUT_SEED)))
        there = list(cell.truth().positions.values())
        for _ in range(VIEWS):
            cell.place_arm(anywhere(there, rng), float(rng.random() < 0.5) * rng.uniform(0.0, 1.0))
            frame = seen(cell, look(cell, eyes), shard.image_size)
            frames.append({key: value[None] for key, value in frame.items()})
    write_columns(frames, shard.path(directory))
    return shard.count
