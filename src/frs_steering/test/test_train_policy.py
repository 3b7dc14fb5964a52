"""Training: it learns, and an interrupted run ends where an unbroken one would."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from frs_steering.learn import train_policy
from frs_steering.learn.curve import plot_losses
from frs_steering.learn.demonstrations import Frames, Sights
from frs_steering.learn.errors import TrainingError
from frs_steering.learn.train_policy import Recipe, train
from frs_steering.policies.embedded import load

CAMERAS = ("exterior", "wrist")


@pytest.fixture(scope="module")
def frames() -> Frames:
    """Frames in which the brightness of the pictures says which way to go."""
    generator = torch.Generator().manual_seed(0)
    n = 64
    bright = torch.rand(n, generator=generator) > 0.5
    images = torch.where(bright[:, None, None, None, None], 200, 50).expand(n, 2, 64, 64, 3).to(torch.uint8)
    chunk = torch.zeros((n, 16, 7))
    chunk[..., 0] = torch.where(bright, 0.15, -0.15)[:, None]
    things = torch.zeros((n, 2, 3))
    things[:, 1] = float("nan")
    return Frames(
        images, torch.zeros((n, 7)), torch.zeros((n, 3)), things, chunk, torch.ones(n, dtype=torch.long), ("go",)
    )


@pytest.fixture(scope="module")
def sights() -> Sights:
    """Pictures in which the colour says how far away the first thing is."""
    generator = torch.Generator().manual_seed(1)
    n = 64
    far = torch.rand(n, generator=generator)
    images = torch.zeros((n, 2, 64, 64, 3))
    images[..., 0], images[..., 2] = (255 * part[:, None, None, None] for part in (far, 1.0 - far))
    things = torch.full((n, 2, 3), float("nan"))
    things[:, 0] = 0.2 * far[:, None]
    return Sights(images.to(torch.uint8), torch.zeros((n, 7)), torch.zeros((n, 3)), things)


def recipe(iterations: int) -> Recipe:
    return Recipe(iterations=iterations, batch=16, sights=16, draws=4, rate=3e-3, average=0.9)


def test_it_learns(frames: Frames, sights: Sights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flows, places = [], []
    measured = train_policy._losses

    def watched(*args):
        flow, place = measured(*args)
        flows.append(flow.item())
        places.append(place.item())
        return flow, place

    monkeypatch.setattr(train_policy, "_losses", watched)
    path = train(frames, sights, recipe(120), tmp_path, CAMERAS)
    assert sum(flows[-10:]) < 0.7 * sum(flows[:10])
    assert sum(places[-10:]) < 0.5 * sum(places[:10])  # half of it is the sights', which no demonstration explains
    policy = load(path)
    assert policy.spec.cameras == CAMERAS
    assert policy.network.config.vocabulary == ("go",)


def test_an_interrupted_run_ends_where_an_unbroken_one_does(
    frames: Frames, sights: Sights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_policy, "CHECKPOINT_EVERY", 2)
    monkeypatch.setattr(train_policy, "LOGGED_EVERY", 1)
    unbroken = train(frames, sights, recipe(5), tmp_path / "a", CAMERAS)
    calls = []
    measured = train_policy._losses

    def interrupted(*args):
        calls.append(None)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return measured(*args)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train_policy, "_losses", interrupted)
        train(frames, sights, recipe(5), tmp_path / "b", CAMERAS)
    resumed = train(frames, sights, recipe(5), tmp_path / "b", CAMERAS)
    first, second = load_file(unbroken), load_file(resumed)
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, msg=name)
    logs = [[json.loads(line) for line in (tmp_path / run / "losses.jsonl").read_text().splitlines()] for run in "ab"]
    assert [row["iteration"] for row in logs[1]] == [1, 2, 3, 4, 5]
    assert [row["flow"] for row in logs[1]] == pytest.approx([row["flow"] for row in logs[0]], rel=1e-4)


def test_weights_that_a_kill_kept_from_being_written_come_when_it_goes_on(
    frames: Frames, sights: Sights, tmp_path: Path
) -> None:
    weights = train(frames, sights, recipe(3), tmp_path, CAMERAS)
    whole = load_file(weights)
    for left in (None, b"of before"):
        weights.unlink() if left is None else weights.write_bytes(left)
        again = load_file(train(frames, sights, recipe(3), tmp_path, CAMERAS))
        assert again.keys() == whole.keys() and all(torch.equal(again[name], whole[name]) for name in whole)


def test_the_loss_curve_is_drawn(tmp_path: Path) -> None:
    log = tmp_path / "losses.jsonl"
    log.write_text('{"iteration": 100, "flow": 1.0, "seconds": 1}\n{"iteration": 200, "flow": 0.5, "seconds": 2}\n')
    assert plot_losses(log, tmp_path / "losses.png").read_bytes().startswith(b"\x89PNG")


def test_a_checkpoint_of_another_training_is_refused_in_words(frames: Frames, sights: Sights, tmp_path: Path) -> None:
    train(frames, sights, recipe(3), tmp_path / "a", CAMERAS)
    other = dataclasses.replace(recipe(4), seed=1)
    match = r"checkpoint\.pt is of another training \(iterations 3, not 4; seed 0, not 1\); take another"
    with pytest.raises(TrainingError, match=match):
        train(frames, sights, other, tmp_path / "a", CAMERAS)
    fewer = Frames(*(part[:32] if isinstance(part, torch.Tensor) else part for part in vars(frames).values()))
    with pytest.raises(TrainingError, match=r"is of another training \(demonstrations \w{8}, not \w{8}\)"):
        train(fewer, sights, recipe(3), tmp_path / "a", CAMERAS)
    more = dataclasses.replace(frames, vocabulary=("go", "stop"))
    with pytest.raises(TrainingError, match=r"checkpoint\.pt is of another network .*size mismatch"):
        train(more, sights, recipe(3), tmp_path / "b", CAMERAS, start=tmp_path / "a" / "checkpoint.pt")
