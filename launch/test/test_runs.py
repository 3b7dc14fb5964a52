"""Tests of frs_bringup.runs; how a run ends is shown in test_demo and test_session."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from frs_bringup.runs import new_directory


def test_each_run_has_a_directory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "strftime", lambda _: "2026-07-01_12-00-00")
    made = [new_directory(tmp_path / "runs") for _ in range(3)]
    assert [path.name for path in made] == [f"2026-07-01_12-00-00{suffix}" for suffix in ("", "_2", "_3")]
    assert all(path.is_dir() and path.is_absolute() for path in made)
