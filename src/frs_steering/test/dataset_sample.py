"""A LeRobotDataset for the tests: all episodes in one table and one video a camera, as LeRobot itself packs them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np

from frs_steering.record.frames import RATE, VIDEOS
from frs_steering.record.lerobot_files import types_of, write_table

FRAMES = 24
"""Of each episode; every eight have a chunk of their own, and the last four none."""
H, D, F = 16, 7, 4
INSTRUCTION = "Put the egg in the basket"
SHADES = 5  # of red, from one picture to the next


def chunk_number(episode: int, frame: int) -> int:
    """Which chunk drives, from 1 over all episodes."""
    return 1 + 3 * episode + frame // 8


def frame(episode: int, number: int) -> dict[str, Any]:
    """One row of the table."""
    which = chunk_number(episode, number)
    return {
        "episode_index": episode, "frame_index": number, "is_episode_successful": episode % 2 == 0,
        "language_instruction": INSTRUCTION,
        "observation.state.joint_position": [0.1 * number] * 7, "observation.state.gripper_position": 0.25,
        "action.joint_position": [0.1 * number + 0.01 * number / RATE] * 7,
        "action.gripper_position": float(number >= 12),
        "frs.source": 1, "frs.method": "frs", "frs.row": number % 8 if number < FRAMES - 4 else -1,
        "frs.noise": [0.5 * which] * (H * D), "frs.features": [float(which)] * F,
        "frs.chunk": [0.01 * which] * (H * D), "frs.horizon": H, "frs.proprioception": [0.1 * which] * 7 + [0.75],
        "frs.policy": "made-up", "frs.weights_sha256": "ab" * 32,
    }  # fmt: skip


def shade(episode: int, number: int) -> int:
    """Red of a frame's pictures."""
    return SHADES * (number + FRAMES * (episode % 2))


def write(
    root: Path, *, episodes: int = 2, without: Collection[str] = (), more: Mapping[str, Any] | None = None,
    version: str = "v3.0", fps: int = RATE,
) -> Path:  # fmt: skip
    """Write it, without some columns, with more of them; every other episode is a success. Returns its folder."""
    rows = [frame(episode, number) | dict(more or {}) for episode in range(episodes) for number in range(FRAMES)]
    rows = [{name: value for name, value in row.items() if name not in without} for row in rows]
    write_table(rows, types_of(rows[0]), root / "data/chunk-000/file-000.parquet")
    videos = [key for key in VIDEOS.values() if key not in without]
    known: list[dict[str, Any]] = [{"episode_index": e, "length": FRAMES, "tasks": [INSTRUCTION],
                                    "data/chunk_index": 0, "data/file_index": 0} for e in range(episodes)]  # fmt: skip
    for key in videos:
        _video(root / f"videos/{key}/chunk-000/file-000.mp4", episodes)
        for episode, one in enumerate(known):
            one |= {f"videos/{key}/chunk_index": 0, f"videos/{key}/file_index": 0,
                    f"videos/{key}/from_timestamp": episode * FRAMES / RATE}  # fmt: skip
    write_table(known, types_of(known[0]), root / "meta/episodes/chunk-000/file-000.parquet")
    info = {
        "codebase_version": version, "fps": fps, "features": {name: {} for name in (*rows[0], *videos)},
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
    }  # fmt: skip
    (root / "meta/info.json").write_text(json.dumps(info))
    return root


def _video(path: Path, episodes: int) -> None:
    """All frames of all episodes, each of its own shade within two of them."""
    path.parent.mkdir(parents=True)
    stream = imageio_ffmpeg.write_frames(str(path), (64, 64), fps=RATE, output_params=["-g", "5"], macro_block_size=2)
    stream.send(None)
    for episode in range(episodes):
        for number in range(FRAMES):
            stream.send(np.full((64, 64, 3), [shade(episode, number), 0, 0], np.uint8))
    stream.close()
