"""Episodes as a LeRobotDataset of version 3.0.

The format: https://huggingface.co/docs/lerobot/lerobot-dataset-v3, and what LeRobot's loader reads. Each episode has
files of its own, which the format allows: an episode that can't be read costs nothing but itself.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from frs_steering.record.errors import JournalError
from frs_steering.record.frames import RATE, VIDEOS, Feature, features, frame
from frs_steering.record.lerobot_files import (
    STATISTICS,
    joined,
    sql_type,
    statistics,
    types_of,
    write_table,
    write_tasks,
)
from frs_steering.record.lerobot_video import Video
from frs_steering.record.reader import summarise
from frs_steering.record.steps import ControlStep, control_steps

FILES_PER_CHUNK = 1000
ROBOT = "Franka"  # as in LeRobot's conversion of DROID
_DEFAULTS = {
    "timestamp": Feature("float32"),
    "frame_index": Feature("int64"),
    "episode_index": Feature("int64"),
    "index": Feature("int64"),
    "task_index": Feature("int64"),
}
_SUCCEEDED = "succeeded"


class LeRobotWriter:
    """Writes a dataset, episode by episode; `close` writes what describes the whole."""

    def __init__(self, directory: Path) -> None:
        """Begin a dataset.

        Raises:
            JournalError: something is there already.
        """
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise JournalError(f"{directory} is no empty folder; name a new one for the dataset")
        self._root = directory
        self._features: dict[str, Feature] = {}
        self._sizes: dict[str, tuple[int, int]] = {}
        self._tasks: dict[str, int] = {}
        self._episodes: list[dict[str, Any]] = []
        self._statistics: list[dict[str, dict[str, np.ndarray]]] = []
        self._frames = 0

    @property
    def episodes(self) -> int:
        """How many were added."""
        return len(self._episodes)

    def add(self, recording: Path) -> int:
        """Add an episode and return the number of its frames.

        Raises:
            JournalError: it can't be read or is damaged, was never driven, or has another policy's chunks or other
                cameras' sizes than the episodes before; nothing of it is added then.
        """
        summary = summarise(recording)
        if summary.damage:  # frames on both sides of a gap would follow each other as if there were none
            raise JournalError(f"{recording} is damaged, and steps may be missing: {'; '.join(summary.damage)}")
        instruction = summary.episode.get("instruction", "")
        row = functools.partial(frame, instruction=instruction, success=summary.result.get("label") == _SUCCEEDED)
        rows: list[dict[str, Any]] = []
        videos: dict[str, Video] = {}
        try:
            for step in control_steps(recording):
                rows.append(row(step, first=not rows, last=False))
                if not videos:
                    self._check(recording, rows[0], step)
                    videos = {VIDEOS[camera]: self._video(camera, step) for camera in step.images}
                for camera, picture in step.images.items():
                    videos[VIDEOS[camera]].add(picture)
            if not rows and summary.count("decision") and not summary.count("arm_state"):
                raise JournalError(
                    f"{recording}: it has neither camera streams nor the arm's states, as those of frs eval --record;"
                    " frs train reads it as it is"
                )
            if not rows:
                raise JournalError(f"{recording}: no chunk drove the arm in it")
            rows[-1] = row(step, first=len(rows) == 1, last=True)
        except BaseException:
            for video in videos.values():
                video.close()
                video.path.unlink()
            raise
        for video in videos.values():
            video.close()
        self._write(rows, videos, instruction)
        return len(rows)

    def _check(self, recording: Path, row: dict[str, Any], step: ControlStep) -> None:
        known = features(len(row["frs.noise"]), len(row["frs.features"]))
        sizes = {VIDEOS[camera]: picture.shape[:2] for camera, picture in step.images.items()}
        if self._episodes and (known != self._features or sizes != self._sizes):
            raise JournalError(f"{recording}: its policy or its cameras are of other sizes than the episodes before")
        self._features, self._sizes = known, sizes

    def _video(self, camera: str, step: ControlStep) -> Video:
        chunk, file = divmod(len(self._episodes), FILES_PER_CHUNK)
        path = self._root / f"videos/{VIDEOS[camera]}/chunk-{chunk:03d}/file-{file:03d}.mp4"
        return Video(path, step.images[camera].shape[:2])

    def close(self) -> None:
        """Write meta/: info.json, stats.json, tasks.parquet and the episodes' table.

        Raises:
            JournalError: no episode was added.
        """
        if not self._episodes:
            raise JournalError("no episode was exported: there is no dataset to write")
        meta = self._root / "meta"
        (meta / "episodes" / "chunk-000").mkdir(parents=True)
        (meta / "info.json").write_text(json.dumps(self._info(), indent=4))
        (meta / "stats.json").write_text(json.dumps(joined(self._statistics), indent=4))
        write_tasks(list(self._tasks), meta / "tasks.parquet")
        write_table(self._episodes, types_of(self._episodes[0]), meta / "episodes/chunk-000/file-000.parquet")

    def _write(self, rows: list[dict[str, Any]], videos: Mapping[str, Video], instruction: str) -> None:
        episode = len(self._episodes)
        chunk, file = divmod(episode, FILES_PER_CHUNK)
        task = self._tasks.setdefault(instruction, len(self._tasks))
        for number, row in enumerate(rows):
            row |= {"timestamp": number / RATE, "frame_index": number, "episode_index": episode,
                    "index": self._frames + number, "task_index": task}  # fmt: skip
        data = self._root / f"data/chunk-{chunk:03d}/file-{file:03d}.parquet"
        columns = self._features | _DEFAULTS
        write_table(rows, {key: sql_type(feature) for key, feature in columns.items()}, data)
        measured = {
            key: statistics(np.array([row[key] for row in rows], np.float64).reshape(len(rows), -1))
            for key, feature in columns.items() if feature.dtype != "string"
        }  # fmt: skip
        known: dict[str, Any] = {
            "episode_index": episode, "tasks": [instruction], "length": len(rows),
            "data/chunk_index": chunk, "data/file_index": file,
            "dataset_from_index": self._frames, "dataset_to_index": self._frames + len(rows),
            "meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0,
        }  # fmt: skip
        for key, video in videos.items():
            known |= {f"videos/{key}/chunk_index": chunk, f"videos/{key}/file_index": file,
                      f"videos/{key}/from_timestamp": 0.0, f"videos/{key}/to_timestamp": len(rows) / RATE}  # fmt: skip
            measured[key] = video.statistics()
        for key, values in measured.items():
            known |= {f"stats/{key}/{name}": values[name].tolist() for name in STATISTICS}
        self._episodes.append(known)
        self._statistics.append(measured)
        self._frames += len(rows)

    def _info(self) -> dict[str, Any]:
        described: dict[str, Any] = {
            key: {"dtype": feature.dtype, "shape": [feature.size],
                  "names": {"axes": list(feature.axes)} if feature.axes else None}
            for key, feature in (self._features | _DEFAULTS).items()
        }  # fmt: skip
        for key, (height, width) in self._sizes.items():
            described[key] = {
                "dtype": "video", "shape": [height, width, 3], "names": ["height", "width", "channels"],
                "info": {
                    "video.height": height, "video.width": width, "video.codec": "h264",
                    "video.pix_fmt": "yuv420p", "video.is_depth_map": False, "video.fps": RATE, "video.channels": 3,
                    "has_audio": False,
                },
            }  # fmt: skip
        return {
            "codebase_version": "v3.0", "robot_type": ROBOT,
            "total_episodes": len(self._episodes), "total_frames": self._frames, "total_tasks": len(self._tasks),
            "chunks_size": FILES_PER_CHUNK, "data_files_size_in_mb": 100, "video_files_size_in_mb": 200,
            "fps": RATE, "splits": {"train": f"0:{len(self._episodes)}"},
            "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
            "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
            "features": described,
        }  # fmt: skip
