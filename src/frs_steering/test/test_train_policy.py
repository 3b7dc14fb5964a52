"""Training: it learns, and an interrupted run ends where an unbroken one would."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from frs_steering.learn import train_policy
from frs_steering.learn.curve import plot_losses
from frs_steering.learn.demonstrations import Frames
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
        images, torch.zeros((n, 7)), torch.zeros((n, 3)), chunk, torch.ones(n, dtype=torch.long), things, ("go",)
    )


def recipe(iterations: int) -> Recipe:
    return Recipe(iterations=iterations, batch=16, draws=4, rate=3e-3, average=0.9)


def test_it_learns(frames: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = []
    measured = train_policy._losses

    def watched(*args):
        flow, places = measured(*args)
        losses.append(flow.item())
        return flow, places

    monkeypatch.setattr(train_policy, "_losses", watched)
    path = train(frames, recipe(120), tmp_path, CAMERAS)
    assert sum(losses[-10:]) < 0.7 * sum(losses[:10])
    policy = load(path)
    assert policy.spec.cameras == CAMERAS
    assert policy.network.config.vocabulary == ("go",)


def test_an_interrupted_run_ends_where_an_unbroken_one_does(
    frames: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_policy, "CHECKPOINT_EVERY", 2)
    unbroken = train(frames, recipe(5), tmp_path / "a", CAMERAS)
    calls = []
    measured = train_policy._losses

    def interrupted(*args):
        calls.append(None)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return measured(*args)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train_policy, "_losses", interrupted)
        train(frames, recipe(5), tmp_path / "b", CAMERAS)
    resumed = train(frames, recipe(5), tmp_path / "b", CAMERAS)
    first, second = load_file(unbroken), load_file(resumed)
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, msg=name)


def test_the_loss_curve_is_drawn(tmp_path: Path) -> None:
    log = tmp_path / "losses.jsonl"
    log.write_text('{"iteration": 100, "flow": 1.0, "seconds": 1}\n{"iteration": 200, "flow": 0.5, "seconds": 2}\n')
    assert plot_losses(log, tmp_path / "losses.png").read_bytes().startswith(b"\x89PNG")
