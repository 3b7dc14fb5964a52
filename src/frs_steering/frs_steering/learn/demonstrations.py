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
        grips: (N, 3) float32, 0 open .. 1 closed: now, and `GRIPPER_LAGS` ago.
        chunk: (N, H, D) float32, SI units.
        instruction: (N,) int64, index into `vocabulary` plus one.
        things: (N, T, 3) float32 m, positions relative to the TCP; NaN where absent.
        vocabulary: instructions, sorted.
    """

    images: Tensor
    joint_position: Tensor
    grips: Tensor
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
    paths = sorted(shards)
    rest, counts, pictures = [], [], None
    for path in paths:  # all but the images, which are most of it
        part = _read(path, cameras, images=False)
        rest.append(part)
        counts.append(len(part["chunk"]))
    first = 0
    for path, count in zip(tqdm(paths, desc="reading", unit="shard"), counts, strict=True):
        part = _read(path, cameras, images=True)  # copied into place at once: twice of all would not fit
        if pictures is None:
            size = part[f"images_{cameras[0]}"].shape[1:]
            pictures = torch.empty((sum(counts), len(cameras), *size), dtype=torch.uint8)
        for index, camera in enumerate(cameras):
            pictures[first : first + count, index] = torch.from_numpy(part[f"images_{camera}"])
        first += count
    assert pictures is not None, "there are shards"
    vocabulary = tuple(sorted({str(part["instruction"]) for part in rest}))
    words = [np.full(len(p["chunk"]), vocabulary.index(str(p["instruction"])) + 1) for p in rest]

    def column(name: str) -> Tensor:
        return torch.from_numpy(np.concatenate([part[name] for part in rest]))

    return Frames(
        images=pictures,
        joint_position=column("joint_position"),
        grips=column("grips"),
        chunk=column("chunk"),
        instruction=torch.from_numpy(np.concatenate(words)),
        things=column("things"),
        vocabulary=vocabulary,
    )


def _read(path: Path, cameras: Sequence[str], *, images: bool) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        others = ["joint_position", "grips", "chunk", "things", "instruction"]
        pictures = [f"images_{camera}" for camera in cameras]
        missing = [name for name in [*others, *pictures] if name not in file]
        if missing:
            raise DemonstrationError(f"{path} lacks {', '.join(missing)}; generate it anew")
        return {name: file[name] for name in (pictures if images else others)}
