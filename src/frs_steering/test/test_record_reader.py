"""Reading back: whole, cut short, damaged, foreign and empty files."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from journal_samples import INSTRUCTION, START, TICK, chunks, decision, picture, write_episode
from mcap.writer import Writer

from frs_steering.record.errors import JournalError
from frs_steering.record.reader import image, records, same_topic, summarise
from frs_steering.record.writer import Episode

IMAGES = "camera/exterior/color/image_raw/compressed"


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a complete episode of 30 ticks."""
    return write_episode(tmp_path_factory.mktemp("episodes")).path.parent


def test_the_summary_says_what_is_in_the_file(episode: Path) -> None:
    summary = summarise(episode)
    assert summary.damage == ()
    assert summary.count("decision") == 4
    assert summary.count(IMAGES) == 30
    assert summary.start == START
    assert summary.duration == pytest.approx(29 * TICK * 1e-9)
    assert summary.episode == {
        "episode_id": "sample", "task": "egg_in_basket", "instruction": "put the egg in the basket", "seed": "7"
    }  # fmt: skip
    assert summary.result["label"] == "succeeded"
    assert summarise(episode / "sample.mcap") == summary


def test_where_the_recorder_was_told_no_instruction_the_first_that_was_said_counts(tmp_path: Path) -> None:
    # As on a robot: nobody publishes a task_state from which the operator's keys could tell.
    summary = summarise(write_episode(tmp_path, episode=Episode("robot")).path)
    assert (summary.episode["task"], summary.episode["instruction"]) == ("", INSTRUCTION)
    quiet = summarise(write_episode(tmp_path, episode=Episode("quiet"), leave_out="instruction").path)
    assert quiet.episode["instruction"] == ""


def test_messages_come_back_as_they_were_sent(episode: Path) -> None:
    found = list(records(episode, ["decision", "instruction"]))
    assert [record.type for record in found].count("frs_msgs/msg/Decision") == 4
    text = next(record.message.data for record in found if same_topic(record.topic, "instruction"))
    assert text == "put the egg in the basket"
    first = next(record for record in found if same_topic(record.topic, "decision"))
    sent = decision(1)
    assert (first.log_time, first.publish_time) == (START, START - 1000)
    assert np.array_equal(first.message.reference, sent.reference)
    assert first.message.guidance.direction.x == sent.guidance.direction.x


def test_images_come_back(episode: Path) -> None:
    decoded = [image(record) for record in records(episode, [IMAGES])]
    assert len(decoded) == 30
    for tick in (0, 29):
        assert np.abs(decoded[tick].astype(int) - picture(tick)).mean() < 4.0


def test_all_topics_are_read_where_none_is_named(episode: Path) -> None:
    assert sum(1 for _ in records(episode)) == summarise(episode).messages


@pytest.mark.parametrize(("full", "same"), [("/arm_state", True), ("/lab/arm_state", True), ("/my_arm_state", False)])
def test_a_namespace_does_not_hide_a_topic(full: str, same: bool) -> None:
    assert same_topic(full, "arm_state") is same


@given(share=st.floats(0.0, 1.0))
@example(share=0.0001)  # a few bytes behind the magic
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_a_file_cut_anywhere_gives_all_its_whole_chunks(episode: Path, tmp_path: Path, share: float) -> None:
    content = (episode / "sample.mcap").read_bytes()
    length = int(share * (len(content) - 1))
    path = tmp_path / "cut.mcap.partial"
    path.write_bytes(content[:length])
    if length == 0:
        with pytest.raises(JournalError, match="is empty"):
            summarise(path)
        return
    if length < 8:
        with pytest.raises(JournalError, match="not an MCAP file"):
            summarise(path)
        return
    summary = summarise(path)
    whole = [end for _, end in chunks(episode / "sample.mcap") if end <= length]
    assert summary.messages == sum(1 for _ in records(path))
    assert (summary.messages > 0) == bool(whole)
    assert len(summary.damage) == 1
    if summary.result:  # the cut is behind the data
        assert summary.messages == summarise(episode).messages


def zstd_frame(raw: bytes, begin: int) -> int:
    """Where the compressed bytes of the chunk at `begin` begin."""
    return raw.index(b"zstd", begin) + len(b"zstd") + 8


def unpacked(raw: bytes, begin: int, end: int) -> bytes | None:
    """The bytes in one chunk; None where they can't be unpacked.

    One flipped byte in 5000 changes nothing: zstd then copies the same bytes from another place, for example.
    """
    try:
        return zstandard.decompress(raw[zstd_frame(raw, begin) : end])
    except (zstandard.ZstdError, MemoryError):
        return None


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_a_damaged_chunk_costs_only_itself(episode: Path, tmp_path: Path, data: st.DataObject) -> None:
    spans = chunks(episode / "sample.mcap")
    begin, end = data.draw(st.sampled_from(spans))
    offset = data.draw(st.integers(begin + 60, end - 1))  # behind the chunk's own header
    whole = (episode / "sample.mcap").read_bytes()
    broken = bytearray(whole)
    broken[offset] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "damaged.mcap"
    path.write_bytes(broken)
    summary = summarise(path)
    if unpacked(broken, begin, end) == unpacked(whole, begin, end):
        assert summary.damage == () and summary.messages == summarise(episode).messages
        return
    assert len(summary.damage) == 1
    assert f"chunk at offset {begin} is damaged" in summary.damage[0]
    assert summary.result["label"] == "succeeded"
    if len(spans) > 1:
        assert summary.messages > 0


def test_a_damaged_size_of_petabytes_is_damage(episode: Path, tmp_path: Path) -> None:
    broken = bytearray((episode / "sample.mcap").read_bytes())
    begin, _ = chunks(episode / "sample.mcap")[0]
    frame = zstd_frame(broken, begin)
    broken[frame + 4] |= 0xC0  # the frame's header, RFC 8878 section 3.1.1.1.1: its size takes 8 bytes
    broken[frame + 5 : frame + 13] = (2**50).to_bytes(8, "little")
    path = tmp_path / "sized.mcap"
    path.write_bytes(broken)
    assert f"chunk at offset {begin} is damaged" in summarise(path).damage[0]


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
def test_any_flipped_byte_is_survived(episode: Path, tmp_path: Path, data: st.DataObject) -> None:
    broken = bytearray((episode / "sample.mcap").read_bytes())
    broken[data.draw(st.integers(0, len(broken) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "flipped.mcap"
    path.write_bytes(broken)
    with contextlib.suppress(JournalError):
        summarise(path)
        for _ in records(path):
            pass


def test_what_is_not_there_or_not_ours_is_named(tmp_path: Path) -> None:
    foreign, other, empty = tmp_path / "a.mcap", tmp_path / "b.mcap", tmp_path / "c.mcap"
    foreign.write_bytes(b"SQLite format 3\0")
    empty.touch()
    with other.open("wb") as stream:
        writer = Writer(stream)
        writer.start(profile="protobuf")
        writer.finish()
    for path, complaint in (
        (foreign, "a.mcap is not an MCAP file: it begins with b'SQLite f'"),
        (other, "b.mcap is MCAP of profile 'protobuf'; 'ros2' is needed"),
        (empty, "c.mcap is empty"),
        (tmp_path / "nothing", "nothing does not exist"),
        (tmp_path, "holds 3 recordings; name one of a.mcap, b.mcap, c.mcap"),
    ):
        with pytest.raises(JournalError, match=complaint):
            summarise(path)
    (tmp_path / "bare").mkdir()
    with pytest.raises(JournalError, match="holds no recording"):
        summarise(tmp_path / "bare")


def test_a_compressed_image_that_is_none_is_named(episode: Path) -> None:
    record = next(records(episode, [IMAGES]))
    record.message.data = b"noise"
    with pytest.raises(JournalError, match="/camera/exterior/color/image_raw/compressed: 5 bytes"):
        image(record)
