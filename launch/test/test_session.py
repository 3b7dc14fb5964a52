"""`frs session` as a user runs it: what it refuses, how it is interrupted, and once in earnest."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from frs_steering.learn.noise_policy import load

FRS = (sys.executable, "-m", "frs_bringup.cli")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--rollouts", "0"], "error: --rollouts is 0; it must be from 1 to"),
        (["--episodes", "6000"], "error: --episodes is 6000; it must be from 1 to 5000"),
        (["--task", "eggs"], "error: argument 'task' is 'eggs'; it must be one of: egg_on_plate, "),
        (["operator:=scripted"], "error: argument 'operator' is set by the session itself; who steers"),
        (["record_directory:=x"], "error: argument 'record_directory' is set by the session itself; --out DIR"),
        (["eggs:=1"], "error: configuration 'sim' has no argument 'eggs'; it has: task"),
    ],
)
def test_wrong_arguments_are_named(procs: Callable[..., Any], tmp_path: Path, words: list[str], message: str) -> None:
    session = procs(*FRS, "session", "--out", tmp_path / "runs", *words, stdin=subprocess.DEVNULL)
    assert session.wait(30.0) == 2
    assert message in session.text()
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("waiting_nodes")
def test_ctrl_c_ends_it_with_130(procs: Callable[..., Any], tmp_path: Path) -> None:
    session = procs(*FRS, "session", "--out", tmp_path / "runs")
    session.wait_for_text("waiting for vla_inference, arm_controller, sim, recorder, flow_steering")
    session.send_signal(signal.SIGINT)
    assert session.wait(15.0) == 130
    (directory,) = (tmp_path / "runs").iterdir()
    assert "interrupted\nwhat there is of it: " in session.text()
    assert not (directory / "logs" / "scripted_reasoner.log").read_text()  # it had not been started yet


@pytest.mark.whole_graph
@pytest.mark.timeout(420)
def test_from_rollouts_to_a_noise_policy_that_drives(procs: Callable[..., Any], tmp_path: Path) -> None:
    """One of each. Whether the noise policy is any good is not asked here."""
    session = procs(*FRS, "session", "--rollouts", "1", "--episodes", "1", "--out", tmp_path / "runs")
    assert session.wait(400.0) == 0
    (directory,) = (tmp_path / "runs").iterdir()
    found = json.loads((directory / "session.json").read_text())
    assert found["complete"] is True
    assert found["rollouts"]["successes"] == 1 and found["rollouts"]["decisions"]["scripted"] > 0
    assert set(found["before"]["decisions"]) == {"base"}
    assert found["after"]["decisions"]["noise_policy"] > 0
    assert [row["seed"] for row in found["after"]["rows"]][-1:] == [row["seed"] for row in found["before"]["rows"]][-1:]
    training = found["training"]
    assert training["rollouts"] == 1 and training["seconds"] > 0 and training["peak_memory_bytes"] > 50e6
    assert load(Path(training["file"])).version == training["version"]
    assert {"report.md", "success.png", "noise_policy.png"} <= {path.name for path in directory.iterdir()}
