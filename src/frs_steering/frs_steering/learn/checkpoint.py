"""What a training of the embedded policy goes on from: its state, whose it is, and the losses until there."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from frs_steering.learn.demonstrations import Sights
from frs_steering.learn.errors import TrainingError

FEW = 1000  # images that are looked at
WAY = "take another directory, or delete it"


def identity(recipe: Any, frames: Sights, sights: Sights, start: Path | None) -> dict[str, str]:
    """Name -> value of all that decides how a training goes, but the code: two trainings that differ differ here.

    Args:
        recipe: a dataclass of numbers.
        frames: the demonstrations.
        sights: beside them.
        start: checkpoint that the first weights are of.
    """
    first = "none" if start is None else hashlib.sha256(start.read_bytes()).hexdigest()[:8]
    settings = {name: str(value) for name, value in dataclasses.asdict(recipe).items()}
    return settings | {"demonstrations": _digest(frames), "sights": _digest(sights), "first weights": first}


def _digest(seen: Sights) -> str:
    digest = hashlib.sha256()
    for field in dataclasses.fields(seen):
        value = getattr(seen, field.name)
        if isinstance(value, Tensor):
            digest.update(f"{field.name} {tuple(value.shape)}".encode())
            # Of the images, which are gigabytes, some: others would come with other poses, too.
            few = value[:: 1 + len(value) // FEW] if field.name == "images" else value
            digest.update(few.contiguous().numpy().tobytes())
        else:
            digest.update(repr(value).encode())
    return digest.hexdigest()[:8]


def write(checkpoint: Path, parts: Mapping[str, Any], iteration: int, of: dict[str, str]) -> None:
    """Write the state of all parts after so many iterations of the training `of`; never seen half written."""
    state = {name: part.state_dict() for name, part in parts.items()}
    torch.save(state | {"iteration": iteration, "of": of}, checkpoint.with_suffix(".part"))
    checkpoint.with_suffix(".part").replace(checkpoint)


def resume(checkpoint: Path, parts: Mapping[str, Any], of: dict[str, str], device: str) -> int:
    """Give all parts the state that was written, and return after how many iterations that was; 0 where none was.

    Raises:
        TrainingError: it is of another training than `of`.
    """
    if not checkpoint.exists():
        return 0
    state = torch.load(checkpoint, weights_only=True, map_location=device)
    if "of" not in state:
        raise TrainingError(f"{checkpoint} does not say which training it is of: an older version wrote it; {WAY}")
    there = state["of"]
    names = [name for name in (*of, *there) if there.get(name) != of.get(name)]
    if names:
        differences = "; ".join(f"{name} {there.get(name)}, not {of.get(name)}" for name in dict.fromkeys(names))
        raise TrainingError(f"{checkpoint} is of another training ({differences}); {WAY}")
    with _fitting(checkpoint):
        for name, part in parts.items():
            part.load_state_dict(state[name])
    return int(state["iteration"])


def begin_with(network: nn.Module, start: Path, device: str) -> None:
    """Give a network the averaged weights of an earlier training's checkpoint.

    Raises:
        TrainingError: they are of another network.
    """
    state = torch.load(start, weights_only=True, map_location=device)["averaged"]
    with _fitting(start):
        network.load_state_dict({k.removeprefix("module."): v for k, v in state.items() if k != "n_averaged"})


def cut(log: Path, iteration: int) -> float:
    """Drop the losses after an iteration, which are to come again; returns how many seconds it took until there."""
    lines = log.read_text().splitlines(keepends=True) if log.exists() else []
    rows = [json.loads(line) for line in lines if line.endswith("\n")]  # a kill may have cut the last one short
    kept = [row for row in rows if row["iteration"] <= iteration]
    log.with_suffix(".part").write_text("".join(json.dumps(row) + "\n" for row in kept))
    log.with_suffix(".part").replace(log)
    return float(kept[-1]["seconds"]) if kept else 0.0


@contextlib.contextmanager
def _fitting(checkpoint: Path) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise TrainingError(
            f"{checkpoint} is of another network ({str(error).splitlines()[-1].strip()}); {WAY}"
        ) from None
