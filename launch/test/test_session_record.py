"""Tests of what a session writes: session.json and report.md."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from frs_bringup.session_record import EpisodeRow, Phase, SessionRecord, Training
from frs_bringup.session_report import PICTURE, write_report
from frs_sim.intervals import wilson


def row(seed: int, label: str, *, source: str = "base", starved: int = 0) -> EpisodeRow:
    return EpisodeRow(seed, label, "why", 100, 400, 6.7, {source: 12}, 100 - starved, starved, f"bag-{seed}")


def record(**phases: Phase) -> SessionRecord:
    policy = {"name": "embedded", "weights_sha256": "ab" * 32}
    return SessionRecord("tidy_sponge", policy, {"rollouts": 2, "episodes": 3}, {"machine": {"cores": 2}}, **phases)


def test_only_outcomes_count() -> None:
    phase = Phase([row(1, "discarded"), row(1, "succeeded"), row(2, "failed"), row(3, "stopped")])
    found = phase.summary()
    assert (found["episodes"], found["successes"], found["not_counted"]) == (2, 1, 2)
    assert found["interval"] == list(wilson(1, 2))
    assert found["decisions"] == {"base": 48}
    assert [one["label"] for one in found["rows"]] == ["discarded", "succeeded", "failed", "stopped"]


def test_before_and_after_are_compared_on_the_same_scenes() -> None:
    before = Phase([row(1, "failed"), row(2, "failed"), row(3, "succeeded"), row(4, "succeeded")])
    after = Phase([row(1, "succeeded"), row(2, "succeeded"), row(3, "failed"), row(5, "succeeded")])
    paired = record(before=before, after=after).paired()
    assert (paired.n, paired.first_only, paired.second_only) == (3, 2, 1)
    assert paired.difference == pytest.approx(1 / 3)


def test_fewer_rollouts_than_wanted_are_a_warning(tmp_path: Path) -> None:
    few = record(rollouts=Phase([row(8, "succeeded"), row(9, "failed"), row(10, "failed")]))
    said = "1 of 2 wanted rollouts: no more of 3 scenes succeeded; it learns from these"
    assert few.warnings() == [said]
    assert few.summary()["warnings"] == []  # more may come
    few.training = Training(str(tmp_path / "noise_policy.safetensors"), "noise_policy@0123", 1, 12, 11.5, 382_000_000)
    assert few.summary()["warnings"] == [said]
    assert f"**Warning**: {said}." in write_report(few, tmp_path).read_text().splitlines()
    few.rollouts.episodes.append(row(11, "succeeded"))
    assert few.warnings() == []
    assert "Warning" not in write_report(few, tmp_path).read_text()


def test_an_unfinished_session_is_whole_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    begun = record(before=Phase([row(1, "failed")]))
    begun.write(path)
    found = json.loads(path.read_text())
    assert (found["complete"], found["training"], found["after"]["share"]) == (False, None, None)
    assert found["difference"]["value"] is None and found["machine"] == {"cores": 2}
    assert [one.name for one in tmp_path.iterdir()] == ["session.json"]


def test_the_report_says_what_happened(tmp_path: Path) -> None:
    whole = record(
        before=Phase([row(1, "failed"), row(2, "discarded", starved=90)]),
        rollouts=Phase([row(8, "succeeded", source="scripted"), row(9, "succeeded", source="scripted")]),
        after=Phase([row(1, "succeeded", source="noise_policy")]),
    )
    whole.training = Training(str(tmp_path / "noise_policy.safetensors"), "noise_policy@0123", 2, 24, 11.5, 382_000_000)
    text = write_report(whole, tmp_path).read_text()
    low, high = wilson(1, 1)
    expected = f"| after: the noise policy | 1 | 1 | 100% | {low:.0%} to {high:.0%} | noise_policy 12 |"
    assert expected in text.splitlines()
    assert "`noise_policy@0123`: 2 successful rollouts, 24 chunks, in 11.5 s of a process that had 382 MB" in text
    assert "On the 1 scenes that both drove, after minus before is +100%" in text
    assert "- before, scene 2: discarded, why" in text
    assert "too busy" not in text  # the one that was starved does not count
    assert (tmp_path / PICTURE).stat().st_size > 0

    whole.after.episodes.append(row(3, "failed", starved=60))
    assert "so many had none: 30% after." in write_report(whole, tmp_path).read_text()
