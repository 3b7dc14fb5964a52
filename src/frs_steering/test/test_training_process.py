"""Training in a process of its own: how it goes, how it fails, and that it ends."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from rollout_recordings import record

from frs_steering.learn.noise_policy import load
from frs_steering.nodes.training_process import NICENESS, TrainingFailed, TrainingProcess


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "rollouts"
    record(folder, "e1")
    record(folder, "e2", seed=1)
    return folder


def worker(training: TrainingProcess) -> int:
    """Process id of what trains, which has taken the place of the words before it."""
    assert training._process is not None
    return training._process.pid


def test_it_trains_behind_the_others_and_tells_how_far_it_is(recordings: Path, tmp_path: Path):
    training = TrainingProcess("dsbc", [recordings], tmp_path / "egg.safetensors", 3)
    told: list[tuple[str, float]] = []
    niceness: list[int] = []

    def on_progress(line: str, progress: float) -> None:
        told.append((line, progress))
        niceness.append(os.getpriority(os.PRIO_PROCESS, worker(training)))

    made = training.run(on_progress)
    assert (made.rollouts, made.chunks) == (2, 24)
    assert 0.0 < made.seconds < 100.0 and 50e6 < made.peak_memory < 2e9
    known = load(made.file)
    assert (known.kind, known.trained_on.seed, known.trained_on.episodes) == ("dsbc", 3, ("e1", "e2"))
    assert any("24 of 24 chunks are learnt from" in line for line, _ in told)
    shares = [progress for _, progress in told]
    assert shares == sorted(shares) and 0.0 < shares[-1] <= 1.0
    assert NICENESS in niceness


def test_what_it_says_of_a_failure_is_passed_on(tmp_path: Path):
    record(tmp_path / "rollouts", "e1", "failed")
    training = TrainingProcess("dsbc", [tmp_path / "rollouts"], tmp_path / "egg.safetensors", 0)
    with pytest.raises(TrainingFailed, match=r"^none of 1 episodes succeeded \(1 failed\)"):
        training.run(lambda *_: None)
    training = TrainingProcess("bc", [tmp_path / "nowhere"], tmp_path / "egg.safetensors", 0)
    with pytest.raises(TrainingFailed, match="nowhere does not exist"):
        training.run(lambda *_: None)


def test_a_process_that_is_killed_is_said(recordings: Path, tmp_path: Path):
    training = TrainingProcess("dsbc", [recordings], tmp_path / "egg.safetensors", 0)

    def kill(line: str, _: float) -> None:
        if line.startswith("training:"):
            os.kill(worker(training), signal.SIGKILL)

    with pytest.raises(TrainingFailed, match=r"was ended by SIGKILL; it had said: .*chunks are learnt from"):
        training.run(kill)
    assert not (tmp_path / "egg.safetensors").exists()


def test_it_can_be_ended_from_another_thread_and_before_it_began(recordings: Path, tmp_path: Path):
    training = TrainingProcess("dsbc", [recordings], tmp_path / "egg.safetensors", 0)
    enders: list[threading.Thread] = []

    def end(line: str, _: float) -> None:
        if not enders:
            enders.append(threading.Thread(target=training.end))
            enders[0].start()

    with pytest.raises(TrainingFailed, match="called off"):
        training.run(end)
    enders[0].join()
    with pytest.raises(ProcessLookupError):
        os.kill(worker(training), 0)
    again = TrainingProcess("dsbc", [recordings], tmp_path / "egg.safetensors", 0)
    again.end()
    with pytest.raises(TrainingFailed, match="called off"):
        again.run(lambda *_: None)
