"""Recordings of `frs eval` that go wrong; those that go well: test_trials.py."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from frs_sim.recording import Recording, is_recorded
from frs_sim.rows import NOBODY, Journal, Trial
from frs_sim.tasks import FIRST_HELD_OUT_SEED, TRAINING
from frs_sim.trials import TrialError, run_trials
from frs_steering.policies import load_policy
from frs_steering.record.errors import JournalError

TRIAL = Trial(TRAINING[0], "base:steps=1", NOBODY, 1, 0, FIRST_HELD_OUT_SEED, "weights", "code", False)


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """A limit on the size of files stands for the full disk: both come as an OSError out of write()."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    recording = Recording(tmp_path, TRIAL, "do something", load_policy("embedded").spec)
    with small_files(100), pytest.raises(JournalError, match="File too large while writing"):
        recording.close(success=True)
    assert not is_recorded(tmp_path, TRIAL)


def test_no_result_goes_without_its_recording(tmp_path: Path) -> None:
    """The workers inherit the limit; the results' own file is small enough."""
    with Journal(tmp_path / "rows") as journal, small_files(20_000):
        with pytest.raises(TrialError, match="scene .* failed: JournalError: File too large while writing"):
            run_trials([TRIAL], 1, None, journal, record=tmp_path / "runs")
        assert not journal.rows
