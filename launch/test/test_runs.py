"""Tests of frs_bringup.runs; how a run ends is shown in test_demo and test_session."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from frs_bringup.runs import new_directory


def test_each_run_has_a_directory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "strftime", lambda _: "2026-07-01_12-00-00")
    made = [new_directory(tmp_path / "runs") for _ in range(3)]
    assert [path.name for path in made] == [f"2026-07-01_12-00-00{suffix}" for suffix in ("", "_2", "_3")]
    assert all(path.is_dir() and path.is_absolute() for path in made)


# Leaving never comes to an end, and keeps Python's lock meanwhile, as was seen of Fast DDS.
HANGING = """
import ctypes, sys
import frs_steering.nodes.leaving
from frs_bringup.runs import left_at_last

def run(leaving):
    leaving.callback(ctypes.PyDLL(None).sleep, 60)
    print("done")
    return {status}

sys.exit(left_at_last(run))
"""


@pytest.mark.parametrize("status", [0, 130])
def test_a_command_that_can_not_leave_the_graph_ends_with_what_it_returned(status: int) -> None:
    command = [sys.executable, "-c", HANGING.format(status=status)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30.0, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (status, "done\n", "")


def test_what_failed_is_told_even_if_the_graph_can_not_be_left() -> None:
    failing = HANGING.format(status="{}['tick']")
    ended = subprocess.run([sys.executable, "-c", failing], capture_output=True, text=True, timeout=30.0, check=False)
    assert (ended.returncode, ended.stdout) == (1, "done\n")
    assert ended.stderr.rstrip().endswith("KeyError: 'tick'")
