"""Demonstrations: what is written is what training reads."""

from pathlib import Path

import numpy as np
import pytest

from frs_sim import demonstrations
from frs_sim.cell import Cell
from frs_sim.demonstrations import SPEEDS, Shard, _begin_anywhere, _number, generate
from frs_sim.disturbance import Disturbance
from frs_sim.expert import Phase
from frs_sim.objects import THINGS
from frs_sim.scene import CAMERAS
from frs_sim.tasks import TASKS
from frs_steering.learn.demonstrations import DemonstrationError, load

KNOWN = ("put the egg on the plate", "hop")


def test_a_demonstration_is_written_read_and_not_made_twice(tmp_path: Path) -> None:
    shards = generate(["egg_on_plate"], 1, tmp_path, seed=3, jobs=1)
    assert [path.exists() for path in shards] == [True]
    made = shards[0].stat().st_mtime_ns
    assert generate(["egg_on_plate"], 1, tmp_path, seed=3, jobs=1) == shards
    assert shards[0].stat().st_mtime_ns == made

    frames = load(shards, tuple(CAMERAS), KNOWN)
    assert len(frames) > 20
    assert frames.images.shape == (len(frames), 2, 64, 64, 3)
    assert frames.chunk.shape == (len(frames), 16, 7)
    assert frames.chunk[..., :3].norm(dim=-1).max() <= SPEEDS[1] + 1e-6
    assert set(frames.chunk[..., 6].unique().tolist()) == {0.0, 1.0}
    assert frames.vocabulary == ("hop", "put the egg on the plate"), "also what nobody has shown"
    assert set(frames.instruction.tolist()) <= {0, 2}
    with pytest.raises(DemonstrationError, match="of 'put the egg on the plate', which is none of the sentences"):
        load(shards, tuple(CAMERAS), ["hop"])
    present = ~frames.things[0, :, 0].isnan().numpy()
    assert {"egg", "plate"} <= {name for name, there in zip(THINGS, present, strict=True) if there}
    assert (frames.chunk[-1, :, :3].norm(dim=-1) < SPEEDS[1]).all()  # at the end the hand leaves


def test_where_the_hand_wanders_no_sentence_asks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demonstrations, "WANDERS", 1.0)
    shard = Shard("egg_on_plate", first=0, count=1, seed=3, image_size=64, weights=None)
    assert demonstrations._write(shard, tmp_path) == 1
    frames = load([shard.path(tmp_path)], tuple(CAMERAS), KNOWN)
    led = frames.instruction == 0
    assert led.any() and not led.all()
    assert set(frames.instruction[~led].tolist()) == {2}


def test_no_two_tasks_share_their_scenes() -> None:
    assert len({_number(name) for name in TASKS}) == len(TASKS)


def test_bad_shards_are_named(tmp_path: Path) -> None:
    with pytest.raises(DemonstrationError, match="no demonstrations to train on"):
        load([], tuple(CAMERAS), KNOWN)
    np.savez(tmp_path / "half.npz", chunk=np.zeros((2, 16, 7)))
    with pytest.raises(DemonstrationError, match=r"half\.npz lacks joint_position, grips"):
        load([tmp_path / "half.npz"], tuple(CAMERAS), KNOWN)


def test_the_disturbance_is_small_where_the_hand_is_near_something() -> None:
    pushes = {}
    for phase in (Phase.REACH, Phase.GRASP):
        disturbance = Disturbance(np.random.default_rng(0))
        pushes[phase] = np.abs([disturbance.next(np.zeros(7), phase) for _ in range(3000)])[:, :3]
    assert pushes[Phase.GRASP].max() < 0.08 < pushes[Phase.REACH].max() < 0.5


def test_the_fingers_close_on_nothing_now_and_then_but_never_open_what_they_hold() -> None:
    disturbance = Disturbance(np.random.default_rng(0))
    closed = [bool(disturbance.next(np.zeros(7), Phase.REACH)[6]) for _ in range(3000)]
    assert 0.02 < np.mean(closed) < 0.15
    carrying = Disturbance(np.random.default_rng(0))
    assert all(carrying.next(np.ones(7), Phase.CARRY)[6] == 1.0 for _ in range(3000))


def test_some_episodes_begin_anywhere_and_touch_nothing() -> None:
    cell = Cell("egg_on_plate", 0)
    heights = []
    for seed in range(12):
        cell.reset("egg_on_plate", seed)
        before = cell.truth().positions
        _begin_anywhere(cell, np.random.default_rng(seed))
        cell.advance(0.3)
        heights.append(cell.truth().tcp_position[2])
        for name, position in cell.truth().positions.items():
            np.testing.assert_allclose(position, before[name], atol=0.005)
    assert min(heights) < 0.12, "low beside a thing"
