"""What a session notes of an episode, whatever became of its recording."""

from __future__ import annotations

from pathlib import Path

from frs_msgs.action import RunEpisode
from journal_samples import write_episode

from frs_bringup.session_phases import _row


def result(bag: Path | str) -> RunEpisode.Result:
    return RunEpisode.Result(message="success", steps=30, step_limit=400, bag=str(bag))


def test_an_episode_whose_last_answer_was_lost_is_found_under_its_final_name(tmp_path: Path) -> None:
    whole = write_episode(tmp_path, ticks=3).path
    for bag in (whole, whole.with_name(f"{whole.name}.partial")):
        row = _row(7, result(bag))
        assert (row.label, row.bag, row.note, row.seed) == ("succeeded", str(whole), "success", 7)
        assert sum(row.decisions.values()) == 1


def test_a_recording_that_cannot_be_read_costs_its_episode_and_not_the_session(tmp_path: Path) -> None:
    (tmp_path / "empty.mcap").touch()
    for bag in (tmp_path / "nowhere.mcap.partial", tmp_path / "empty.mcap"):
        row = _row(7, result(bag))
        assert (row.label, row.decisions) == ("discarded", {})
        assert row.note.startswith("success; its recording can't be read: ")
    assert (_row(7, result("")).label, _row(7, result("")).bag) == ("discarded", "")
