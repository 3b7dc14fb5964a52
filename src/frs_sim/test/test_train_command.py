"""`frs train policy`: round by round."""

import argparse
import gc
import weakref
from pathlib import Path
from typing import Any

import pytest

from frs_sim import demonstrations, sight, train_command
from frs_steering.learn import curve
from frs_steering.learn import demonstrations as data


class Loaded:
    """Stands for the frames of a round."""

    def __init__(self, shards: list[Path]) -> None:
        self.instruction, self.vocabulary, self.shards = self, (), shards

    def unique(self) -> "Loaded":
        return self

    def tolist(self) -> list[int]:
        return []

    def __len__(self) -> int:
        return len(self.shards)


def test_a_round_goes_on_from_the_one_before_whose_frames_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: list[weakref.ref[Loaded]] = []
    trained: list[tuple[int, int, Path, Path | None]] = []

    def generate(tasks: Any, episodes: int, directory: Path, *, seed: int, **_: Any) -> list[Path]:
        directory.mkdir(exist_ok=True)
        shard = directory / f"{seed}-{episodes}"
        shard.touch()
        return [shard]

    def load(shards: list[Path], *_: Any) -> Loaded:
        gc.collect()
        assert not any(ref() for ref in alive), "two rounds at once do not fit"
        frames = Loaded(shards)
        alive.append(weakref.ref(frames))
        return frames

    def train(frames: Loaded, sights: Any, recipe: Any, out: Path, cameras: Any, start: Path | None) -> Path:
        trained.append((len(frames), recipe.seed, out, start))
        return out / "weights.safetensors"

    monkeypatch.setattr(demonstrations, "generate", generate)
    monkeypatch.setattr(sight, "scatter", lambda *_, **__: [])
    monkeypatch.setattr(data, "load_sights", lambda *_: None)
    monkeypatch.setattr(data, "load", load)
    monkeypatch.setattr(curve, "plot_losses", lambda log, out: out)
    monkeypatch.setattr(train_command, "train", train)
    parser = argparse.ArgumentParser()
    train_command.add_arguments(parser)
    words = f"policy --rounds 3 --seed 5 --jobs 1 --directory {tmp_path}"
    assert train_command.run(parser.parse_args(words.split())) == 0
    first, second, third = (tmp_path / f"round-{number}" for number in range(3))
    assert trained == [
        (1, 5, first, None), (2, 6, second, first / "checkpoint.pt"), (3, 7, third, second / "checkpoint.pt")
    ]  # fmt: skip
