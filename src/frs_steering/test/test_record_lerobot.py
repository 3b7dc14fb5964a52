"""Episodes as a LeRobotDataset: what its specification asks for, and what LeRobot's own loader makes of it."""

from __future__ import annotations

import dataclasses
import json
import math
import weakref
from pathlib import Path
from typing import Any

import duckdb
import imageio_ffmpeg
import mujoco
import numpy as np
import pytest
from frs_msgs.msg import GateReport
from hypothesis import given
from hypothesis import strategies as st
from journal_samples import CHANNELS, INDEX, START, TICK, D, H, put_tick, write_episode
from rclpy.serialization import serialize_message

from frs_steering.record import steps as steps_module
from frs_steering.record.errors import JournalError
from frs_steering.record.frames import VIDEOS, frame, roll_pitch_yaw
from frs_steering.record.lerobot import LeRobotWriter
from frs_steering.record.lerobot_files import statistics
from frs_steering.record.lerobot_video import Video
from frs_steering.record.steps import control_steps
from frs_steering.record.writer import Episode, JournalWriter, Limits

TICKS = 40


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two episodes, a success and a failure."""
    folder = tmp_path_factory.mktemp("lerobot")
    writer = LeRobotWriter(folder / "dataset")
    for name, label in (("good", "succeeded"), ("bad", "failed")):
        write_episode(folder, name, ticks=TICKS, label=label)
        assert writer.add(folder / name) == TICKS
    writer.close()
    return folder / "dataset"


def rows(path: Path, what: str = "*") -> list[tuple[Any, ...]]:
    return duckdb.sql(f"SELECT {what} FROM '{path}' ORDER BY ALL").fetchall()


def test_the_whole_is_described(dataset: Path) -> None:
    info = json.loads((dataset / "meta/info.json").read_text())
    assert (info["codebase_version"], info["fps"], info["robot_type"]) == ("v3.0", 15, "Franka")
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"]) == (2, 2 * TICKS, 1)
    columns = {name for (name, *_) in duckdb.sql(f"DESCRIBE SELECT * FROM '{dataset}/data/*/*.parquet'").fetchall()}
    assert columns | set(VIDEOS.values()) == set(info["features"])
    assert info["features"]["frs.noise"] == {"dtype": "float32", "shape": [H * D], "names": None}
    assert info["features"]["observation.state"]["shape"] == [8]
    statistics = json.loads((dataset / "meta/stats.json").read_text())
    assert statistics["frame_index"]["max"] == [TICKS - 1] and statistics["frame_index"]["count"] == [2 * TICKS]
    assert np.shape(statistics["observation.images.wrist_left"]["mean"]) == (3, 1, 1)


def test_every_frame_says_where_it_belongs(dataset: Path) -> None:
    for episode in range(2):
        data = dataset / f"data/chunk-000/file-{episode:03d}.parquet"
        found = rows(data, 'index, episode_index, frame_index, "timestamp", task_index, is_first, is_last, reward')
        assert [row[:3] for row in found] == [(episode * TICKS + n, episode, n) for n in range(TICKS)]
        assert [row[3] for row in found] == pytest.approx([n / 15 for n in range(TICKS)], abs=1e-6)
        assert [row[4] for row in found] == [0] * TICKS
        assert [n for n, row in enumerate(found) if row[5]] == [0]
        assert [n for n, row in enumerate(found) if row[6]] == [TICKS - 1]
        assert [row[7] for row in found] == [0.0] * (TICKS - 1) + [1.0 - episode], "the success alone is rewarded"


def test_episodes_say_where_their_frames_and_videos_lie(dataset: Path) -> None:
    names = 'episode_index, tasks, length, dataset_from_index, dataset_to_index, "data/file_index"'
    found = rows(dataset / "meta/episodes/chunk-000/file-000.parquet", names)
    told = "put the egg in the basket"
    assert found == [(0, [told], TICKS, 0, TICKS, 0), (1, [told], TICKS, TICKS, 2 * TICKS, 1)]
    for key in VIDEOS.values():
        for episode in range(2):
            video = dataset / f"videos/{key}/chunk-000/file-{episode:03d}.mp4"
            assert imageio_ffmpeg.count_frames_and_secs(str(video))[0] == TICKS


def test_tasks_are_looked_up_by_their_sentence(dataset: Path) -> None:
    path = dataset / "meta/tasks.parquet"
    assert rows(path) == [(0, "put the egg in the basket")]
    footer = dict(duckdb.sql(f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{path}')").fetchall())
    assert json.loads(footer["pandas"])["index_columns"] == ["__index_level_0__"]


def test_lerobot_opens_it(dataset: Path) -> None:
    module = pytest.importorskip("lerobot.datasets.lerobot_dataset", reason="LeRobot is not installed")
    opened = module.LeRobotDataset("frs/test", root=dataset)
    assert (len(opened), opened.num_episodes) == (2 * TICKS, 2)
    assert opened[TICKS]["task"] == "put the egg in the basket"
    assert opened[TICKS]["observation.images.wrist_left"].shape[0] == 3


def test_an_episode_is_streamed_however_long_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alive, most = 0, 0

    def counted(array: np.ndarray) -> np.ndarray:
        nonlocal alive, most
        own = array.copy()
        alive, most = alive + 1, max(most, alive + 1)
        weakref.finalize(own, gone)
        return own

    def gone() -> None:
        nonlocal alive
        alive -= 1

    decode = steps_module.image
    monkeypatch.setattr(steps_module, "image", lambda record: counted(decode(record)))
    write_episode(tmp_path, ticks=TICKS)
    writer = LeRobotWriter(tmp_path / "dataset")
    assert writer.add(tmp_path / "sample") == TICKS
    assert most <= 6, "of two cameras: this step's, the last one's, and those on their way"


def test_the_statistics_are_those_of_the_pictures(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (11, 16, 24, 3), np.uint8)
    video = Video(tmp_path / "v.mp4", (16, 24))
    for picture in pictures:
        video.add(picture)
    with pytest.raises(JournalError, match=r"a picture is of \(8, 8\) pixels; those before it are of \(16, 24\)"):
        video.add(np.zeros((8, 8, 3), np.uint8))
    video.close()
    found, wanted = video.statistics(), statistics(pictures[::5].reshape(-1, 3) / 255.0)
    for name in ("min", "max", "mean", "std"):
        assert found[name].shape == (3, 1, 1)
        assert np.allclose(found[name].ravel(), wanted[name], atol=1e-9)
    assert found["count"] == wanted["count"]


def test_what_breaks_off_in_the_middle_leaves_no_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decode, left = steps_module.image, 20

    def breaks(record: Any) -> np.ndarray:
        nonlocal left
        left -= 1
        if left < 0:
            raise JournalError("no picture")
        return decode(record)

    write_episode(tmp_path, ticks=TICKS)
    writer = LeRobotWriter(tmp_path / "dataset")
    with monkeypatch.context() as patched:
        patched.setattr(steps_module, "image", breaks)
        with pytest.raises(JournalError, match="no picture"):
            writer.add(tmp_path / "sample")
    assert not list((tmp_path / "dataset").rglob("*.mp4"))
    assert writer.add(tmp_path / "sample") == TICKS


def test_what_can_not_be_exported_is_named_and_leaves_the_rest(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").touch()
    with pytest.raises(JournalError, match="full is no empty folder; name a new one"):
        LeRobotWriter(tmp_path / "full")
    writer = LeRobotWriter(tmp_path / "dataset")
    with pytest.raises(JournalError, match="no episode was exported"):
        writer.close()
    write_episode(tmp_path, "empty", ticks=0)
    with pytest.raises(JournalError, match="no chunk drove the arm"):
        writer.add(tmp_path / "empty")
    whole = write_episode(tmp_path, "good", ticks=TICKS).path.read_bytes()
    damaged = tmp_path / "damaged.mcap"
    damaged.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(JournalError, match="is damaged, and steps may be missing: "):
        writer.add(damaged)
    assert writer.add(tmp_path / "good") == TICKS
    with pytest.raises(JournalError, match="is no empty folder"):
        LeRobotWriter(damaged)
    writer.close()


def test_speeds_are_in_droids_unit_and_in_rad_a_second(tmp_path: Path) -> None:
    """DROID's full scale is 0.2 rad a step."""
    step = next(control_steps(write_episode(tmp_path).path))
    step = dataclasses.replace(step, joint_position=np.full(7, 0.5), commanded=np.full(7, 3.0))
    row = frame(step, instruction="", success=True, first=True, last=False)
    np.testing.assert_allclose(row["action.joint_velocity"], np.ones(7))
    np.testing.assert_allclose(row["action.joint_position"], np.full(7, 0.7))
    np.testing.assert_allclose(row["frs.joint_velocity"], np.full(7, 3.0))


def test_what_was_decided_before_the_recording_began_is_passed_over(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, Episode("late"), CHANNELS, Limits())
    for tick in range(4, 30):  # the decisions are at 0, 8, 16 and 24
        put_tick(writer, tick)
    late = writer.close("succeeded").path
    assert [step.tick for step in control_steps(late)] == list(range(8, 30))
    writer = JournalWriter(tmp_path, Episode("lost"), CHANNELS, Limits())
    for tick in range(30):
        put_tick(writer, tick, leave_out="decision" if tick == 16 else "")
    lost = writer.close("succeeded").path
    with pytest.raises(JournalError, match="the decision on chunk 3 is not in the file"):
        list(control_steps(lost))


def test_while_the_arm_holds_what_was_sent_is_what_is_told(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, Episode("held"), CHANNELS, Limits())
    for tick in range(20):
        put_tick(writer, tick, leave_out="gate_report" if tick == 10 else "")
    held = GateReport(tick=10, row=-1, verdict=GateReport.HELD, commanded=[0.25] * 7, gripper=1.0)
    writer.put(INDEX["gate_report"], serialize_message(held), START + 10 * TICK, START)
    step = list(control_steps(writer.close("succeeded").path))[10]
    assert (step.tick, step.row, step.gripper_commanded, step.decision.chunk_id) == (10, -1, 1.0, 2)
    np.testing.assert_allclose(step.commanded, np.full(7, 0.25))


@given(st.floats(-3.1, 3.1), st.floats(-1.5, 1.5), st.floats(-3.1, 3.1))
def test_roll_pitch_yaw_turn_about_the_fixed_axes(roll: float, pitch: float, yaw: float) -> None:
    wxyz = np.empty(4)
    mujoco.mju_euler2Quat(wxyz, [roll, pitch, yaw], "XYZ")
    found = roll_pitch_yaw(np.roll(wxyz, -1))
    assert all(math.isclose(a, b, abs_tol=1e-6) for a, b in zip(found, (roll, pitch, yaw), strict=True))
