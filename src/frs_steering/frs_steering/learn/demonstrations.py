"""Training data in memory: demonstrations and sights, shards of frames read into tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

SEEN = ("joint_position", "grips", "things")
"""Columns of every shard beside its images, as the fields of `Sights`."""


class DemonstrationError(ValueError):
    """Demonstrations can't be read; the message names the file and what would be right."""


@dataclass(frozen=True)
class Sights:
    """What was seen, and where the things were.

    Attributes:
        images: (N, cameras, s, s, 3) uint8 RGB.
        joint_position: (N, 7) float32 rad.
        grips: (N, 3) float32, 0 open .. 1 closed: now, and `GRIPPER_LAGS` ago.
        things: (N, T, 3) float32 m, positions relative to the TCP; NaN where absent.
    """

    images: Tensor
    joint_position: Tensor
    grips: Tensor
    things: Tensor

    def __len__(self) -> int:
        return len(self.things)


@dataclass(frozen=True)
class Frames(Sights):
    """All frames of all demonstrations: what was seen, and what the expert would do.

    Attributes:
        chunk: (N, H, D) float32, SI units.
        instruction: (N,) int64, index into `vocabulary` plus one; 0 where no sentence asks for what is done.
        vocabulary: instructions, sorted.
    """

    chunk: Tensor
    instruction: Tensor
    vocabulary: tuple[str, ...]


def load(shards: Sequence[Path], cameras: Sequence[str], sentences: Sequence[str]) -> Frames:
    """Read shards as written by `frs_sim.demonstrations`.

    Args:
        shards: their paths.
        cameras: names, in the order of `Frames.images`.
        sentences: all that the policy is to know, also those of which there is no demonstration yet: a network that
            is trained on must not change with what the experts managed to show.

    Raises:
        DemonstrationError: there are none, one lacks a column, or one is of another sentence.
    """
    paths = sorted(shards)
    parts = _columns(paths, cameras, (*SEEN, "chunk", "instruction"))
    told = np.concatenate([np.broadcast_to(part["instruction"], len(part["chunk"])) for part in parts])
    vocabulary = tuple(sorted(set(sentences)))
    if strange := sorted({str(sentence) for sentence in np.unique(told)} - {"", *vocabulary}):
        raise DemonstrationError(f"there are demonstrations of {strange[0]!r}, which is none of the sentences to know")
    return Frames(
        **_seen(paths, parts, cameras),
        chunk=_joined(parts, "chunk"),
        instruction=torch.from_numpy(np.searchsorted(("", *vocabulary), told)),
        vocabulary=vocabulary,
    )


def load_sights(shards: Sequence[Path], cameras: Sequence[str]) -> Sights:
    """Read shards as written by `frs_sim.sight`.

    Raises:
        DemonstrationError: there are none, or one lacks a column.
    """
    paths = sorted(shards)
    return Sights(**_seen(paths, _columns(paths, cameras, SEEN), cameras))


def _seen(paths: Sequence[Path], parts: Sequence[dict[str, np.ndarray]], cameras: Sequence[str]) -> dict[str, Tensor]:
    # The fields of Sights.
    images = _images(paths, cameras, [len(part["things"]) for part in parts])
    return {"images": images} | {name: _joined(parts, name) for name in SEEN}


def _columns(paths: Sequence[Path], cameras: Sequence[str], names: Sequence[str]) -> list[dict[str, np.ndarray]]:
    # All but the images, which are most of it.
    if not paths:
        raise DemonstrationError("there are no demonstrations to train on; `frs train policy` makes them")
    parts = []
    for path in paths:
        with np.load(path, allow_pickle=False) as file:
            if missing := [name for name in [*names, *map(_picture, cameras)] if name not in file]:
                raise DemonstrationError(f"{path} lacks {', '.join(missing)}; delete it, and it is made anew")
            parts.append({name: file[name] for name in names})
    return parts


def _images(paths: Sequence[Path], cameras: Sequence[str], counts: Sequence[int]) -> Tensor:
    images, first = torch.empty(0), 0
    for path, count in zip(tqdm(paths, desc="reading", unit="shard"), counts, strict=True):
        with np.load(path, allow_pickle=False) as file:
            for index, camera in enumerate(cameras):
                part = torch.from_numpy(file[_picture(camera)])
                if not len(images):  # copied into place at once: twice of all would not fit
                    images = torch.empty((sum(counts), len(cameras), *part.shape[1:]), dtype=torch.uint8)
                images[first : first + count, index] = part
        first += count
    return images


def _picture(camera: str) -> str:
    return f"images_{camera}"


def _joined(parts: Sequence[dict[str, np.ndarray]], name: str) -> Tensor:
    return torch.from_numpy(np.concatenate([part[name] for part in parts]))
