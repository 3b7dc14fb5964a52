"""Mending partial files."""

from __future__ import annotations

from pathlib import Path

import pytest
from journal_samples import cut, write_episode
from rosbags.highlevel import AnyReader

from frs_steering.record.errors import JournalError
from frs_steering.record.reader import summarise
from frs_steering.record.recover import recover


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    """A file whose writer died in the middle of a chunk."""
    return cut(write_episode(tmp_path, ticks=60).path.parent)


def test_a_partial_file_becomes_a_whole_one_that_others_open(partial: Path) -> None:
    before = summarise(partial)
    after = recover(partial)
    assert after.path.name == "sample.mcap"
    assert sorted(path.name for path in partial.parent.iterdir()) == ["metadata.yaml", "sample.mcap"]
    assert (after.messages, after.start, after.end) == (before.messages, before.start, before.end)
    assert after.messages > 0
    assert after.damage == ()
    assert after.episode == before.episode
    assert after.result["label"] == "unlabelled"
    assert "not a whole record" in after.result["note"]
    with AnyReader([partial.parent]) as reader:
        assert sum(1 for _ in reader.messages()) == before.messages
        assert {c.topic for c in reader.connections} == {topic.name for topic in before.topics}


def test_a_whole_file_needs_no_mending(tmp_path: Path) -> None:
    whole = write_episode(tmp_path, ticks=2).path
    with pytest.raises(JournalError, match="nothing to recover"):
        recover(whole.parent)


def test_a_file_without_a_whole_chunk_is_left_alone(partial: Path) -> None:
    partial.write_bytes(partial.read_bytes()[:300])
    with pytest.raises(JournalError, match="no whole chunk"):
        recover(partial)
    assert [path.name for path in partial.parent.iterdir()] == ["sample.mcap.partial"]
