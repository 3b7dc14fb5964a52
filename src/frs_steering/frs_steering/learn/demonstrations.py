"""Demonstrations in memory: shards of frames read into tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm


class DemonstrationError(ValueError):
    """Demonstrations can't be read; the message names the file and what would be right."""


@dataclass(frozen=True)
class Frames:
    """All frames of all demonstrations.

    Attributes:
        images: (N, cameras, s, s, 3) uint8 RGB.
        joint_position: (N, 7) float32 rad.
        gripper: (N,) float32, 0 open .. 1 closed.
        chunk: (N, H, D) float32, SI units.
        instruction: (N,) int64, index into `vocabulary` plus one.
        things: (N, T, 3) float32 m, positions relative to the TCP; NaN where absent.
        vocabulary: instructions, sorted.
    """

    images: Tensor
    joint_position: Tensor
    gripper: Tensor
    chunk: Tensor
    instruction: Tensor
    things: Tensor
    vocabulary: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.chunk)


def load(shards: Sequence[Path], cameras: Sequence[str]) -> Frames:
    """Read shards as written by `frs_sim.demonstrations`.

    Raises:
        DemonstrationError: there are none, or one lacks a column.
    """
    if not shards:
        raise DemonstrationError("no demonstrations were given; make some with: frs train policy --generate-only")
    parts = [_read(path, cameras) for path in tqdm(sorted(shards), desc="reading", unit="shard")]
    vocabulary = tuple(sorted({str(part["instruction"]) for part in parts}))
    words = [np.full(len(p["chunk"]), vocabulary.index(str(p["instruction"])) + 1) for p in parts]

    def column(name: str) -> Tensor:
        return torch.from_numpy(np.concatenate([part[name] for part in parts]))

    return Frames(
        images=torch.stack([column(f"images_{camera}") for camera in cameras], 1),
        joint_position=column("joint_position"),
        gripper=column("gripper"),
        chunk=column("chunk"),
        instruction=torch.from_numpy(np.concatenate(words)),
        things=column("things"),
        vocabulary=vocabulary,
    )


def _read(path: Path, cameras: Sequence[str]) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        needed = ["joint_position", "gripper", "chunk", "things", "instruction"]
        missing = [name for name in [*needed, *(f"images_{c}" for c in cameras)] if name not in file]
        if missing:
            raise DemonstrationError(f"{path} lacks {', '.join(missing)}; generate it anew")
        return {name: file[name] for name in file.files}
