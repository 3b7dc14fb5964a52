"""Mending partial files."""

from __future__ import annotations

from pathlib import Path

import pytest
from frs_msgs.msg import RecorderState
from journal_samples import CHANNELS, INDEX, START, chunks, cut, put_tick, write_episode
from rclpy.serialization import serialize_message
from rosbags.highlevel import AnyReader

from frs_steering.record.check import check
from frs_steering.record.errors import JournalError
from frs_steering.record.find import find_episodes
from frs_steering.record.label import label
from frs_steering.record.reader import summarise
from frs_steering.record.recover import recover
from frs_steering.record.writer import Episode, JournalWriter, Limits


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


def test_a_recording_in_progress_is_left_alone(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, Episode("live"), CHANNELS, Limits())
    put = put_tick(writer, 0)
    live = writer.progress().path
    with pytest.raises(JournalError, match=r"live\.mcap\.partial is being written; it can be changed once"):
        recover(live)
    put += put_tick(writer, 1)
    done = writer.close("succeeded")
    assert (done.whole, done.messages) == (True, put)
    assert summarise(done.path).messages == put
    assert sorted(path.name for path in live.parent.iterdir()) == ["live.mcap", "metadata.yaml"]


def test_what_describes_a_recording_is_kept(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, Episode("told"), CHANNELS, Limits())
    writer.describe("frs_versions", {"frs_steering": "1.2.3"})
    writer.describe("frs_parameters/lab/recorder", {"jpeg_quality": "90"})
    for tick in range(60):
        put_tick(writer, tick)
    partial = cut(writer.close("failed").path.parent, "told")
    found = recover(partial).configuration
    assert (found.versions, found.parameters) == (
        {"frs_steering": "1.2.3"},
        {"/lab/recorder": {"jpeg_quality": "90"}},
    )
    assert found.silent is None, "the asking had no end"


@pytest.mark.parametrize("missing", [0, 1000])
def test_a_label_that_was_written_before_the_kill_is_kept(tmp_path: Path, missing: int) -> None:
    """Killed before the file got its name, with all of it on disk, or in the middle of its summary."""
    whole = write_episode(tmp_path, ticks=3).path
    before = summarise(whole)
    whole.with_name("metadata.yaml").unlink()
    partial = whole.rename(whole.with_name("sample.mcap.partial"))
    partial.write_bytes(partial.read_bytes()[: before.size - missing])
    after = recover(partial)
    assert after.messages == before.messages and after.damage == ()
    note = after.result["note"]
    assert after.result == before.result | {"note": note} and before.result["label"] == "succeeded"
    assert note == "a sample; recovered" if not missing else note.startswith("a sample; recovered; ")


def test_a_recovery_that_died_before_its_last_step_is_completed_and_a_label_kept(partial: Path) -> None:
    content = partial.read_bytes()
    whole = recover(partial).path
    partial.write_bytes(content)
    label(whole, "failed", "slipped")
    assert find_episodes([partial.parent]) == [whole], "one episode is read once"
    assert find_episodes([partial.parent], leftovers=True) == [whole, partial]
    assert find_episodes([partial]) == [partial]
    assert recover(partial).result["label"] == "failed"
    assert sorted(path.name for path in whole.parent.iterdir()) == ["metadata.yaml", "sample.mcap"]


def test_an_interrupted_recovery_is_no_hindrance(partial: Path) -> None:
    partial.with_name("sample.mcap.recovering").write_bytes(b"half")
    assert recover(partial).messages > 0
    assert sorted(path.name for path in partial.parent.iterdir()) == ["metadata.yaml", "sample.mcap"]


def test_a_whole_file_needs_no_mending(tmp_path: Path) -> None:
    whole = write_episode(tmp_path, ticks=2).path
    with pytest.raises(JournalError, match="nothing to recover"):
        recover(whole.parent)


def test_a_file_that_was_cut_short_later_is_mended_and_kept(tmp_path: Path) -> None:
    whole = write_episode(tmp_path, ticks=60).path
    begin, end = chunks(whole)[-1]
    content = whole.read_bytes()[: (begin + end) // 2]
    whole.write_bytes(content)
    before = summarise(whole)
    assert before.damage
    after = recover(whole)
    assert (after.path, after.messages, after.damage) == (whole, before.messages, ())
    assert after.result["label"] == "unlabelled" and "not a whole record" in after.result["note"]
    assert whole.with_name("sample.mcap.damaged").read_bytes() == content
    assert find_episodes([whole.parent], leftovers=True) == [whole]
    whole.write_bytes(whole.read_bytes()[: (begin + end) // 2])
    with pytest.raises(JournalError, match=r"sample.mcap.damaged is there, from an earlier damage; move it away"):
        recover(whole)
    assert whole.with_name("sample.mcap.damaged").read_bytes() == content, "it may hold more"


def test_a_file_without_a_whole_chunk_is_left_alone(partial: Path) -> None:
    partial.write_bytes(partial.read_bytes()[:300])
    with pytest.raises(JournalError, match="no whole chunk"):
        recover(partial)
    assert [path.name for path in partial.parent.iterdir()] == ["sample.mcap.partial"]


def test_what_was_lost_is_what_the_recorder_said_last(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, Episode("sample"), CHANNELS, Limits())
    for tick in range(60):
        put_tick(writer, tick)
        said = RecorderState(recording=True, dropped_control=tick // 8, dropped_images=2)
        writer.put(INDEX["recorder_state"], serialize_message(said), START, START)
    whole = writer.close("failed").path
    assert not any("lost" in problem for problem in check(whole).problems)
    recovered = recover(cut(whole.parent))
    assert recovered.result["dropped_images"] == "2" and 0 < int(recovered.result["dropped_control"]) < 8
    assert (
        f"{recovered.result['dropped_control']} control records were lost while recording"
        in check(recovered.path).problems
    )


def test_where_it_said_nothing_that_is_not_known(partial: Path) -> None:
    problems = check(recover(partial).path).problems
    assert "how many control records were lost is not known: its recorder died" in problems
