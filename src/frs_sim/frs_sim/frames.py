"""What a frame of training data holds of a cell, and the files that frames are written to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Protocol, TypeVar

import cv2
import numpy as np
from tqdm import tqdm

from frs_sim.cell import Cell, Eyes, Truth
from frs_sim.graphics import SPAWN
from frs_sim.objects import THINGS
from frs_sim.scene import CAMERAS

BELOW = -0.05  # m: what is lower has fallen off the table


class Shard(Protocol):
    """What one worker process writes to one file."""

    @property
    def count(self) -> int:
        """How many episodes or scenes."""

    def path(self, directory: Path) -> Path:
        """Where it lies."""


S = TypeVar("S", bound=Shard)


def write_shards(
    shards: Sequence[S], directory: Path, write: Callable[[S, Path], int], jobs: int, unit: str
) -> list[Path]:
    """Let worker processes write the shards that are not there yet, so that an interrupted run goes on.

    Args:
        shards: what to write.
        directory: where to; made if need be.
        write: writes one to the directory and returns how many of its `count` are in it; runs in a worker.
        jobs: processes.
        unit: what is counted, for the progress bar.
    """
    directory.mkdir(parents=True, exist_ok=True)
    missing = [shard for shard in shards if not shard.path(directory).exists()]
    done = 0
    with (
        ProcessPoolExecutor(jobs, mp_context=SPAWN) as pool,
        tqdm(total=sum(shard.count for shard in missing), unit=unit) as bar,
    ):
        futures = {pool.submit(write, shard, directory): shard for shard in missing}
        for future in as_completed(futures):
            done += future.result()
            bar.update(futures[future].count)
            bar.set_postfix(kept=done)
    return [shard.path(directory) for shard in shards]


def write_columns(frames: Sequence[dict[str, np.ndarray]], path: Path, **more: np.ndarray) -> None:
    """Write columns, each the concatenation of its parts, to an uncompressed .npz that is never seen half written."""
    columns = {key: np.concatenate([frame[key] for frame in frames]) for key in frames[0]}
    part = path.with_suffix(".part.npz")
    np.savez(part, **more, **columns)  # type: ignore[arg-type] # numpy's stubs take the columns for allow_pickle
    part.rename(path)


def look(cell: Cell, eyes: Eyes) -> dict[str, np.ndarray]:
    """What each camera sees, (224, 224, 3) uint8."""
    return {camera: eyes.look(cell.data, camera).copy() for camera in CAMERAS}


def seen(cell: Cell, views: dict[str, np.ndarray], size: int) -> dict[str, np.ndarray]:
    """One frame's columns: images_<camera> (s, s, 3) uint8, joint_position (7,), grips (3,), things (T, 3) float32."""
    frame: dict[str, np.ndarray] = {
        "joint_position": cell.joint_position.astype(np.float32),
        "grips": np.array([cell.gripper, *cell.gripper_before], np.float32),
        "things": _relative(cell.truth()).astype(np.float32),
    }
    for camera, view in views.items():
        frame[f"images_{camera}"] = cv2.resize(view, (size, size), interpolation=cv2.INTER_AREA)
    return frame


def _relative(truth: Truth) -> np.ndarray:
    # A thing that fell off the table falls on for ever; nobody needs to know where it is.
    there = {name: position for name, position in truth.positions.items() if position[2] > BELOW}
    absent = np.full(3, np.nan)
    return np.stack([there[name] - truth.tcp_position if name in there else absent for name in THINGS])
