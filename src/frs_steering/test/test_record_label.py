"""Labels that are given afterwards."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from journal_samples import CHANNELS, chunks, cut, put_tick, write_episode
from rosbags.highlevel import AnyReader

from frs_steering.record.errors import JournalError
from frs_steering.record.label import label
from frs_steering.record.reader import records, summarise
from frs_steering.record.recover import recover
from frs_steering.record.writer import Episode, JournalWriter, Limits


def messages(path: Path) -> list[tuple[str, int, int]]:
    return [(record.topic, record.log_time, record.publish_time) for record in records(path)]


def test_a_recovered_episode_gets_its_label_and_loses_nothing(tmp_path: Path) -> None:
    whole = recover(cut(write_episode(tmp_path, ticks=60).path.parent)).path
    before, told = summarise(whole), messages(whole)
    after = label(whole.parent, "succeeded", "by eye", "Ada")
    assert after.result == before.result | {"label": "succeeded", "note": "by eye", "operator": "Ada"}
    assert (after.topics, after.episode, after.damage) == (before.topics, before.episode, ())
    assert messages(whole) == told
    assert sorted(path.name for path in whole.parent.iterdir()) == ["metadata.yaml", "sample.mcap"]
    described = yaml.safe_load((whole.parent / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert described["custom_data"]["label"] == "succeeded"
    with AnyReader([whole.parent]) as reader:
        assert reader.message_count == before.messages


def test_note_and_operator_stay_where_none_is_given(tmp_path: Path) -> None:
    path = write_episode(tmp_path).path
    label(path, "failed", operator="Ada")
    found = label(path, "discarded").result
    assert (found["label"], found["note"], found["operator"]) == ("discarded", "a sample", "Ada")


def test_an_interrupted_labelling_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_episode(tmp_path).path
    content = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)  # the last thing before the new file takes the old one's place
        with pytest.raises(OSError, match="no space left"):
            label(path, "failed")
    assert path.read_bytes() == content
    assert not path.with_name("sample.mcap.labelling").exists()
    path.with_name("sample.mcap.labelling").write_bytes(b"half")  # as a kill would leave it
    assert label(path, "failed").result["label"] == "failed"


def test_what_can_not_be_labelled_is_named_and_left_alone(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, Episode("live"), CHANNELS, Limits())
    put_tick(writer, 0)
    with pytest.raises(JournalError, match="is being written"):
        label(writer.progress().path, "failed")
    path = writer.close("succeeded").path
    with pytest.raises(JournalError, match="label is 'perhaps'; it must be one of succeeded, failed, discarded"):
        label(path, "perhaps")
    partial = cut(write_episode(tmp_path, "cut", ticks=60).path.parent, "cut")
    with pytest.raises(JournalError, match="`frs record recover` makes a whole file of it first"):
        label(partial, "failed")
    broken = write_episode(tmp_path, "broken", ticks=60).path
    content = bytearray(broken.read_bytes())
    begin, end = chunks(broken)[1]
    content[(begin + end) // 2] ^= 0xFF
    broken.write_bytes(content)
    with pytest.raises(JournalError, match="is damaged"):
        label(broken, "failed")
    assert broken.read_bytes() == content
