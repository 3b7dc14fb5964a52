"""Episodes of LeRobotDatasets: as rollouts, as demonstrations, and what is said where that can't be."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import dataset_sample
import duckdb
import numpy as np
import pytest
from dataset_sample import FRAMES, D, F, H, chunk_number, shade
from journal_samples import write_episode

from frs_steering.learn.dataset import dataset_episodes
from frs_steering.policies import load_policy
from frs_steering.policies.interface import PolicySpec
from frs_steering.record.errors import JournalError
from frs_steering.record.frames import DIAGNOSTICS, commanded
from frs_steering.record.lerobot import LeRobotWriter
from frs_steering.record.reader import records


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dataset_sample.write(tmp_path_factory.mktemp("lerobot") / "eggs")


@pytest.fixture(scope="module")
def spec() -> PolicySpec:
    return load_policy("embedded").spec


def test_each_chunk_that_drove_is_a_step(dataset: Path) -> None:
    for number, episode in enumerate(dataset_episodes(dataset)):
        found = episode.rollout()
        assert (found.name, found.task) == (f"eggs/{number}", "put_the_egg_in_the_basket")
        assert (found.label, found.unusable) == (("failed" if number else "succeeded"), {})
        assert len(found.steps) == 3
        for place, step in enumerate(found.steps):
            which = chunk_number(number, 8 * place)
            assert step.features.tolist() == [which] * F and step.chunk.shape == (H, D)
            assert step.noise is not None and step.noise.shape == (H, D) and (step.noise == 0.5 * which).all()
            np.testing.assert_allclose([*step.joint_position, step.gripper], [0.1 * which] * 7 + [0.75], rtol=1e-6)
            assert (step.source, step.method, step.drove) == ("human", "frs", True)
            assert (step.policy, step.weights_sha256) == ("made-up", "ab" * 32)
            assert (step.diagnostics, step.feature_parts) == ({}, (F,)), "the columns are not there"


def test_demonstrations_have_their_own_pictures_and_commands(dataset: Path, spec: PolicySpec) -> None:
    for number, episode in enumerate(dataset_episodes(dataset)):
        found = episode.demonstration(spec, every=2)
        assert (found.name, found.label) == (f"eggs/{number}", "failed" if number else "succeeded")
        assert len(found.chunks) == (FRAMES - spec.horizon) // 2 + 1
        for place, one in enumerate(found.chunks):
            first = 2 * place
            for picture in one.observation.images.values():
                assert picture[32, 32, 0] == pytest.approx(shade(number, first), abs=2), "H.264 is lossy"
            assert one.chunk[:, -1].tolist() == [float(n >= 12) for n in range(first, first + spec.horizon)]
            np.testing.assert_allclose(one.observation.joint_position, [0.1 * first] * 7, rtol=1e-6)
            assert one.observation.instruction == "Put the egg in the basket"


def test_an_export_is_read_back(tmp_path: Path, spec: PolicySpec) -> None:
    write_episode(tmp_path, "one", ticks=40)
    writer = LeRobotWriter(tmp_path / "dataset")
    writer.add(tmp_path / "one")
    writer.close()
    (episode,) = dataset_episodes(tmp_path / "dataset")
    found = episode.demonstration(spec, every=1)
    assert (found.label, len(found.chunks)) == ("succeeded", 40 - spec.horizon + 1)
    recorded = next(records(tmp_path / "one", ["decision"])).message
    step = episode.rollout().steps[0]
    np.testing.assert_allclose(step.chunk.ravel(), recorded.refined, rtol=1e-6)
    np.testing.assert_allclose(step.joint_position, recorded.joint_position, rtol=1e-6)
    assert (step.policy, step.weights_sha256) == (recorded.policy, recorded.weights_sha256)
    assert step.feature_parts == tuple(recorded.feature_parts) == (1, 3)
    np.testing.assert_array_equal(step.commanded, commanded(recorded))
    assert 0 < step.commanded.sum() < step.commanded.size
    assert step.diagnostics == {name: getattr(recorded.diagnostics, name) for name in DIAGNOSTICS}


@pytest.mark.parametrize(
    "column", ["frs.features", "frs.chunk", "frs.proprioception", "frs.weights_sha256", "is_episode_successful"]
)
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    episode = dataset_episodes(dataset_sample.write(tmp_path / "eggs", without=[column]))[0]
    with pytest.raises(JournalError, match=f"eggs lacks the column {column}; learning from rollouts needs it"):
        episode.rollout()


@pytest.mark.parametrize(
    "part", [[0, 1, 0, 1], [1, 1, 1, 1], [0, 0, 2, 2], [0, 0, 0], [-1, 0, 0, 1], [0, 0, 0, 10**12]]
)
def test_parts_that_are_none_are_refused(tmp_path: Path, part: list[int]) -> None:
    episode = dataset_episodes(dataset_sample.write(tmp_path / "eggs", more={"frs.feature_part": part}))[0]
    with pytest.raises(
        JournalError, match=r"episode 0: frs.feature_part must number the parts of the 4 features from 0"
    ):
        episode.rollout()


@pytest.mark.parametrize("column", ["action.joint_position", "observation.images.wrist_left"])
def test_a_missing_column_of_demonstrations_is_named(tmp_path: Path, spec: PolicySpec, column: str) -> None:
    episode = dataset_episodes(dataset_sample.write(tmp_path / "eggs", without=[column]))[0]
    with pytest.raises(JournalError, match=f"eggs lacks the column {column}; learning from demonstrations needs it"):
        episode.demonstration(spec, 1)
    assert column != "action.joint_position" or episode.rollout().steps


def test_datasets_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"old is a LeRobotDataset of version v2.1; it must be v3.0"):
        dataset_episodes(dataset_sample.write(tmp_path / "old", version="v2.1"))
    with pytest.raises(JournalError, match="fast has 30 frames a second; it must have 15"):
        dataset_episodes(dataset_sample.write(tmp_path / "fast", fps=30))
    (tmp_path / "fast/meta/info.json").write_text("{}")
    with pytest.raises(JournalError, match=r"info.json does not describe a LeRobotDataset"):
        dataset_episodes(tmp_path / "fast")


def test_damage_costs_the_episode_alone(tmp_path: Path, spec: PolicySpec) -> None:
    root = dataset_sample.write(tmp_path / "eggs")
    one, other = dataset_episodes(root)
    with pytest.raises(JournalError, match="has rows of 0.050 s"):
        one.demonstration(dataclasses.replace(spec, row_duration=0.05), 1)
    table = root / "data/chunk-000/file-000.parquet"
    horizon = 'CASE WHEN episode_index = 1 THEN 3 ELSE "frs.horizon" END AS "frs.horizon"'
    rows = f"SELECT * REPLACE ({horizon}) FROM '{table}'"
    duckdb.sql(f"COPY ({rows}) TO '{tmp_path}/new.parquet' (FORMAT parquet)")
    (tmp_path / "new.parquet").replace(table)
    assert one.rollout().steps
    with pytest.raises(JournalError, match="eggs, episode 1: chunk, noise and proprioception of 112, 112 and 8"):
        other.rollout()
    next((root / "videos").rglob("*.mp4")).write_bytes(b"nothing")
    with pytest.raises(JournalError, match=r"episode 0: the video .*mp4 can't be read"):
        one.demonstration(spec, 1)
    with pytest.raises(JournalError, match=r"episode 0 does not hold what it should: KeyError\('data/chunk_index'\)"):
        dataclasses.replace(one, known={"episode_index": 0}).rollout()
    table.unlink()
    with pytest.raises(JournalError, match=r"file-000.parquet can't be read: IO Error"):
        one.rollout()
