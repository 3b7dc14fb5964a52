"""Episodes of a LeRobotDataset of version 3.0: as `frs record export` writes it, or, for demonstrations, DROID's own.

The format: https://huggingface.co/docs/lerobot/lerobot-dataset-v3; the names of the columns: `record.frames`. One file
may hold many episodes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import imageio_ffmpeg
import numpy as np

from frs_steering.learn.demonstrated import Demonstration, from_steps
from frs_steering.learn.episodes import DATASET, task_of
from frs_steering.learn.errors import TrainingError
from frs_steering.learn.rollouts import SOURCES, Rollout, Step
from frs_steering.policies.interface import PolicySpec
from frs_steering.record.errors import JournalError
from frs_steering.record.frames import DIAGNOSTICS, RATE, VIDEOS
from frs_steering.record.steps import ControlStep

_SUCCESS, _TOLD = "is_episode_successful", "language_instruction"
_DECIDED = ("frs.source", "frs.method", "frs.row", "frs.features", "frs.noise", "frs.chunk", "frs.horizon",
            "frs.proprioception", "frs.policy", "frs.weights_sha256")  # fmt: skip
"""Columns that tell of the decision behind the chunk that drives: `frs.chunk` (H * D numbers) as it was sent, in SI;
`frs.proprioception` (8) joints [rad] and gripper that were measured when it was made."""
_DIAGNOSTICS, _PARTS, _COMMANDED = "frs.diagnostics", "frs.feature_part", "frs.commanded"
"""Numbers of DIAGNOSTICS, of each feature its part, and what of the noise was asked for; datasets of before they were
exported, or of others, may lack them."""

_MOVED = ("observation.state.joint_position", "observation.state.gripper_position", "action.joint_position",
          "action.gripper_position")  # fmt: skip
"""What a demonstration tells of the motion. Not `action.joint_velocity`: DROID's is in units of 3 rad/s, ours was once
in rad/s, whereas where a command leads within a frame is the same everywhere."""


@dataclass(frozen=True)
class Dataset:
    """A dataset on disk.

    Attributes:
        root: its folder.
        columns: names of its features, videos' among them.
        data_path: of its tables, with the numbers in braces.
        video_path: of its videos, likewise.
    """

    root: Path
    columns: frozenset[str]
    data_path: str
    video_path: str

    def check(self, names: Iterable[str], purpose: str) -> None:
        """Refuse what lacks a column.

        Raises:
            JournalError: naming the columns that are missing.
        """
        if missing := [name for name in names if name not in self.columns]:
            raise JournalError(f"{self.root} lacks the column {', '.join(missing)}; {purpose} needs it")


@dataclass(frozen=True)
class DatasetEpisode:
    """One of its episodes, as the dataset's table of episodes has it: column -> value."""

    dataset: Dataset
    known: dict[str, Any]

    def rollout(self) -> Rollout:
        """See `episodes.Episode`.

        Raises:
            JournalError: a column or a file is missing, or does not hold what it should.
        """
        self.dataset.check((*_DECIDED, _SUCCESS, _TOLD), "learning from rollouts")
        with self._complaining():
            decided = (*_DECIDED, *({_COMMANDED, _DIAGNOSTICS, _PARTS} & self.dataset.columns))
            table = self._table((*decided, _SUCCESS, _TOLD))
            steps: list[Step] = []
            last = b""
            for at, chunk_row in enumerate(table["frs.row"]):
                this = b"".join(np.asarray(table[name][at], np.float32).tobytes() for name in
                                ("frs.features", "frs.chunk", "frs.proprioception"))  # fmt: skip
                if chunk_row >= 0 and this != last:
                    steps.append(self._step({name: table[name][at] for name in decided}))
                    last = this
            return Rollout(*self._named(table), tuple(steps), {})

    def demonstration(self, spec: PolicySpec, every: int) -> Demonstration:
        """See `episodes.Episode`.

        Raises:
            JournalError: as `rollout`; or a video is shorter than the episode, or the policy's rows have another rate.
        """
        self.dataset.check((*_MOVED, *VIDEOS.values(), _SUCCESS, _TOLD), "learning from demonstrations")
        if abs(spec.row_duration * RATE - 1.0) > 1e-3:
            raise JournalError(f"{self.dataset.root} has {RATE} frames a second; {spec.name!r} has rows of"
                               f" {spec.row_duration:.3f} s")  # fmt: skip
        with self._complaining():
            table = self._table((*_MOVED, _SUCCESS, _TOLD))
            steps = self._steps(table)
            return Demonstration(*self._named(table), from_steps(steps, str(table[_TOLD][0]), spec, every))

    def _steps(self, table: dict[str, list[Any]]) -> list[ControlStep]:
        count = len(table[_TOLD])
        pictures = {camera: self._video(key, count) for camera, key in VIDEOS.items()}
        measured, grip, target, gripped = (np.array(table[name], np.float64).reshape(count, -1) for name in _MOVED)
        moved = (target - measured) * RATE  # rad/s
        unknown = np.full(3, np.nan), np.full(4, np.nan)  # where the tool is follows from the joints
        return [
            ControlStep(
                at, {camera: shown[at] for camera, shown in pictures.items()}, measured[at], float(grip[at, 0]),
                *unknown, commanded=moved[at], gripper_commanded=float(gripped[at, 0]), row=-1, decision=None,
            )
            for at in range(count)
        ]  # fmt: skip

    def _named(self, table: dict[str, list[Any]]) -> tuple[str, str, str]:
        # Name, task and label.
        label = "succeeded" if table[_SUCCESS][0] else "failed"
        return f"{self.dataset.root.name}/{self.known['episode_index']}", task_of(str(table[_TOLD][0])), label

    def _step(self, told: dict[str, Any]) -> Step:
        chunk, noise, seen = (np.array(told[name], np.float32) for name in
                              ("frs.chunk", "frs.noise", "frs.proprioception"))  # fmt: skip
        known = map(float, told.get(_DIAGNOSTICS, ()))
        diagnostics = dict(zip(DIAGNOSTICS, known, strict=True)) if _DIAGNOSTICS in told else {}
        horizon, source = int(told["frs.horizon"]), int(told["frs.source"])
        if horizon < 1 or chunk.size % horizon or noise.size != chunk.size or seen.size != 8:
            raise JournalError(
                f"{self._name}: chunk, noise and proprioception of {chunk.size}, {noise.size} and {seen.size} numbers;"
                f" they must fit chunks of {horizon} rows, and 8 measured values"
            )
        commanded = np.array(told.get(_COMMANDED, np.ones(chunk.size)), bool)
        if commanded.size != chunk.size:
            raise JournalError(f"{self._name}: {_COMMANDED} of {commanded.size} numbers; it must be {chunk.size}")
        features = np.array(told["frs.features"], np.float32)
        if not 0 <= source < len(SOURCES) or not all(np.isfinite(one).all() for one in (chunk, seen, features)):
            raise JournalError(f"{self._name}: source {source}, or numbers that are not finite")
        part = np.array(told.get(_PARTS, np.zeros(features.size)), np.int64)
        if not part.size == features.size > 0 or part[0] != 0 or not np.isin(np.diff(part), (0, 1)).all():
            raise JournalError(f"{self._name}: {_PARTS} must number the parts of the {features.size} features from 0"
                               f" on, in order; it holds {part.size} numbers, up to {part.max(initial=0)}")  # fmt: skip
        return Step(
            source=SOURCES[source], method=str(told["frs.method"]),
            features=features, feature_parts=tuple(np.bincount(part).tolist()),
            joint_position=seen[:7].astype(np.float64),
            gripper=float(seen[7]), noise=noise.reshape(horizon, -1) if np.isfinite(noise).all() else None,
            commanded=commanded.reshape(horizon, -1), chunk=chunk.reshape(horizon, -1), drove=True,
            diagnostics=diagnostics,
            policy=str(told["frs.policy"]), weights_sha256=str(told["frs.weights_sha256"]),
        )  # fmt: skip

    @contextmanager
    def _complaining(self) -> Iterator[None]:
        # What another program wrote may lack anything, and hold anything.
        try:
            yield
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, JournalError | TrainingError):
                raise
            raise JournalError(f"{self._name} does not hold what it should: {error!r}") from error

    @property
    def _name(self) -> str:
        return f"{self.dataset.root}, episode {self.known['episode_index']}"

    def _table(self, names: Iterable[str]) -> dict[str, list[Any]]:
        # The episode's frames in order, a list a column.
        path = self.dataset.root / self.dataset.data_path.format(
            chunk_index=self.known["data/chunk_index"], file_index=self.known["data/file_index"]
        )
        wanted = ", ".join(f'"{name}"' for name in names)
        found = _read(path, f"SELECT {wanted} FROM read_parquet(?) WHERE episode_index = "
                            f"{int(self.known['episode_index'])} ORDER BY frame_index")  # fmt: skip
        if not found:
            raise JournalError(f"{self._name}: no frame of it in {path}")
        return {name: [row[name] for row in found] for name in names}

    def _video(self, key: str, count: int) -> list[np.ndarray]:
        # The episode's `count` pictures (h, w, 3) uint8 RGB.
        path = self.dataset.root / self.dataset.video_path.format(
            video_key=key, chunk_index=self.known[f"videos/{key}/chunk_index"],
            file_index=self.known[f"videos/{key}/file_index"],
        )  # fmt: skip
        begin = float(self.known[f"videos/{key}/from_timestamp"]) - 0.5 / RATE  # half a frame before the first
        seek = ["-ss", f"{begin:.4f}"] if begin > 0.0 else []
        try:
            stream = imageio_ffmpeg.read_frames(str(path), input_params=seek, output_params=["-frames:v", str(count)])
            width, height = next(stream)["size"]
            pictures = [np.frombuffer(one, np.uint8).reshape(height, width, 3) for one in stream]
        except (OSError, RuntimeError, StopIteration) as error:
            raise JournalError(f"{self._name}: the video {path} can't be read: {_line(error)}") from error
        if len(pictures) != count:
            raise JournalError(f"{self._name}: {path} holds {len(pictures)} of its {count} pictures")
        return pictures


def dataset_episodes(root: Path) -> list[DatasetEpisode]:
    """The episodes of a dataset.

    Raises:
        JournalError: it is of another version, of another rate than the arm's, or can't be read.
    """
    try:
        info = json.loads((root / DATASET).read_text())
        version, rate = str(info["codebase_version"]), float(info["fps"])
        dataset = Dataset(root, frozenset(info["features"]), info["data_path"], info["video_path"] or "")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JournalError(f"{root / DATASET} does not describe a LeRobotDataset: {error!r}") from error
    if not version.startswith("v3."):
        raise JournalError(f"{root} is a LeRobotDataset of version {version}; it must be v3.0")
    if rate != RATE:
        raise JournalError(f"{root} has {rate:g} frames a second; it must have {RATE}, as the arm has control steps")
    known = _read(root / "meta/episodes/*/*.parquet", "SELECT * FROM read_parquet(?) ORDER BY episode_index")
    return [DatasetEpisode(dataset, row) for row in known]


def _read(path: Path, query: str) -> list[dict[str, Any]]:
    try:
        with duckdb.connect() as database:
            result = database.execute(query, [str(path)])
            names = [column[0] for column in result.description or []]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    except duckdb.Error as error:
        raise JournalError(f"{path} can't be read: {_line(error)}") from error


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [repr(error)])[0]
