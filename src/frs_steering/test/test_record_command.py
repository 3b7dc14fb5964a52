"""`frs record`: what it says of whole, cut, damaged, foreign and empty files."""

from __future__ import annotations

import argparse
from pathlib import Path

import policy_episode
import pytest
from journal_samples import CHANNELS, INSTRUCTION, cut, put_tick, write_episode

from frs_steering.record.command import add_arguments, run
from frs_steering.record.writer import Episode, JournalWriter, Limits


def main(*words: str | Path) -> int:
    """What `frs record` does with these words."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([str(word) for word in words]))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A good episode, a failed one, one cut short, and three files that are none."""
    folder = tmp_path / "runs"
    write_episode(folder, "good")
    write_episode(folder, "bad", label="failed")
    cut(write_episode(folder, "cut", ticks=60).path.parent, "cut")
    (folder / "empty.mcap").touch()
    (folder / "foreign.mcap").write_bytes(b"something else entirely")
    (folder / "short.mcap").write_bytes((folder / "good" / "good.mcap").read_bytes()[:5000])
    return folder


def test_ls_says_a_line_an_episode_and_a_line_a_bad_file(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("ls", runs) == 1
    said = capsys.readouterr()
    lines = {line.split()[-1 if "DAMAGED" not in line else -2].rsplit("/")[-1]: line for line in said.out.splitlines()}
    assert lines["good.mcap"].startswith("succeeded") and "egg_in_basket" in lines["good.mcap"]
    assert lines["bad.mcap"].startswith("failed")
    assert lines["cut.mcap.partial"].startswith("cut short")
    assert lines["short.mcap"].endswith("DAMAGED")
    assert [line.partition(" is ")[2].partition(":")[0] for line in said.err.splitlines()] == [
        "empty", "not an MCAP file"
    ]  # fmt: skip


def test_info_tells_topics_label_and_damage(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("info", runs / "good", runs / "cut") == 0
    assert main("ls", runs / "short.mcap") == main("info", runs / "short.mcap") == 1, "a file had a problem"
    said = capsys.readouterr().out
    assert "succeeded (a sample); lost: 0 control records, 0 images" in said
    assert "/decision  [frs_msgs/msg/Decision]" in said
    assert "cut short; lost: ? control records" in said and "damage: " in said


def test_recover_mends_what_was_cut_and_leaves_the_rest(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = (runs / "good" / "good.mcap").read_bytes()
    assert main("recover", runs) == 0
    assert (runs / "cut" / "cut.mcap").is_file() and not (runs / "cut" / "cut.mcap.partial").exists()
    assert (runs / "good" / "good.mcap").read_bytes() == whole
    assert "recovered; " in capsys.readouterr().out
    assert main("recover", runs) == 0
    assert "nothing to recover" in capsys.readouterr().out
    assert main("recover", runs / "good" / "good.mcap") == 1
    assert "there is nothing to recover" in capsys.readouterr().err


def test_recover_leaves_a_recording_in_progress_and_serves_the_others(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = JournalWriter(runs, Episode("a-live-one"), CHANNELS, Limits())
    put_tick(writer, 0)
    live = writer.progress().path
    main("ls", live)
    assert capsys.readouterr().out.startswith("recording ")
    assert main("recover", runs) == 1
    said = capsys.readouterr()
    assert f"error: {live} is being written" in said.err and "cut.mcap: " in said.out
    assert live.is_file() and (runs / "cut" / "cut.mcap").is_file()
    assert writer.close("failed").whole


def test_label_says_afterwards_what_became_of_it(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main("recover", runs)
    capsys.readouterr()
    assert main("label", runs / "cut", "failed", "--note", "slipped", "--operator", "Ada") == 0
    assert capsys.readouterr().out == f"{runs}/cut/cut.mcap: failed (slipped)\n"
    main("info", runs / "cut")
    assert "failed (slipped), says Ada; lost: " in capsys.readouterr().out
    assert main("label", runs / "empty.mcap", "failed") == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_info_tells_the_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writer = JournalWriter(tmp_path, Episode("told"), CHANNELS, Limits())
    writer.describe("frs_versions", {"frs_steering": "1.2.3", "distribution": "rolling", "python": "3.11"})
    writer.describe("frs_parameters/lab/recorder", {"jpeg_quality": "90", "directory": '"runs"'})
    writer.describe("frs_silent", {"/camera": "it did not answer within 2 s"})
    path = writer.close("failed").path
    main("info", path)
    said = capsys.readouterr().out
    assert "configuration: 2 parameters of 1 nodes; none of 1: /camera\n" in said
    assert "versions: frs_steering 1.2.3; rolling, Python 3.11\n" in said and "jpeg_quality" not in said
    main("info", "--config", path)
    said = capsys.readouterr().out
    assert "/lab/recorder jpeg_quality: 90\n" in said and "/camera: it did not answer within 2 s\n" in said


def test_without_a_task_ls_says_the_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_episode(tmp_path, episode=Episode("robot"))
    main("ls", tmp_path)
    assert INSTRUCTION in capsys.readouterr().out


def test_an_unknown_method_is_counted_as_not_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = policy_episode.messages(("base",))
    made[0][1].method = "magic"
    assert main("check", policy_episode.write(tmp_path, made)) == 1
    assert "0 of 1 decisions came out again" in capsys.readouterr().out


def test_check_makes_decisions_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = policy_episode.messages(("base", "frs"))
    path = policy_episode.write(tmp_path, made)
    assert main("check", path) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"complete: {path}: 2 of 2 decisions came out again, within ")
    made[0][1].refined[3] += 0.01
    assert main("check", policy_episode.write(tmp_path, made, "other")) == 1
    said = capsys.readouterr().out
    assert "1 of 2 decisions came out again" in said and "the chunk came out differently, by 0.01" in said


def test_what_is_exported_has_an_outcome(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_episode(runs, "unknown", label="unlabelled")
    write_episode(runs, "unwanted", label="discarded")
    writer = JournalWriter(runs, Episode("live"), CHANNELS, Limits())
    put_tick(writer, 0)
    for name in ("empty.mcap", "foreign.mcap", "short.mcap"):
        (runs / name).unlink()
    assert main("export", runs, "--out", tmp_path / "dataset") == 1
    said = capsys.readouterr()
    assert said.out.startswith("2 episodes, ")
    assert f"left out: {runs}/live/live.mcap.partial is being recorded" in said.err
    assert f"left out: {runs}/cut/cut.mcap.partial was cut short; `frs record recover`" in said.err
    assert f"left out: {runs}/unknown/unknown.mcap has no label; `frs record label` gives it one" in said.err
    assert said.err.count("left out: ") == 3
    assert writer.close("failed").whole


def test_check_serves_the_others(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("check", runs) == 1
    said = capsys.readouterr()
    assert said.out.count("problems: ") == 4  # their decisions are made up
    assert said.err.count("error: ") == 2


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["ls", "nowhere"], "nowhere does not exist"),
        (["ls", "."], "no recording (*.mcap) in ."),
        (["check", "file.mcap", "--weights", "none"], "weights file none does not exist"),
        (["check", "file.mcap", "--policy", "magic"], "no policy is called 'magic'"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    complaint: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    if words[0] == "check":
        (tmp_path / "file.mcap").touch()
    assert main(*words) == 2
    errors = capsys.readouterr().err
    assert complaint in errors and errors.count("\n") == 1
