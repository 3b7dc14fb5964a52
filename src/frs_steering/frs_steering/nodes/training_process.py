"""Trains a noise policy in a process of its own, behind everything else that runs, and tells how far it is."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

NICENESS = 15
"""Of the training's process: it takes what the others leave."""

_LAST_LINES = 5  # of its output, that a failure without an error line repeats
_PERCENT = re.compile(r"training: +(\d+)%")  # as tqdm writes it


class TrainingFailed(RuntimeError):
    """No noise policy came out; the message says why."""


@dataclass(frozen=True)
class TrainedFile:
    """What came out.

    Attributes:
        file: of the noise policy.
        rollouts: that it was trained on.
        chunks: of these.
        seconds: from the start of the process to its end: start-up and reading included.
        peak_memory: bytes that the process took at most.
    """

    file: Path
    rollouts: int
    chunks: int
    seconds: float
    peak_memory: int


class TrainingProcess:
    """One training; `run` once, in a thread that waits for it, and `end` from any other."""

    def __init__(self, kind: str, recordings: Sequence[Path], file: Path, seed: int) -> None:
        """Say what to train: a kind of `noise_network.KINDS`, from these recordings, into that file."""
        self._file = file
        self._command = [
            *(sys.executable, "-m", "frs_steering.train_noise_command", kind),
            *("--out", str(file), "--seed", str(seed), "--", *map(str, recordings)),
        ]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._ended = False

    def run(self, on_progress: Callable[[str, float], None]) -> TrainedFile:
        """Train to the end.

        Args:
            on_progress: is told every new line of the process and the share of the steps that are made, 0..1. The
                training may end before the last step: when it gets no better.

        Raises:
            TrainingFailed: nothing can be learnt, the process died, or it was ended.
            OSError: it can't be started.
        """
        begun = time.monotonic()
        lines: deque[str] = deque(maxlen=_LAST_LINES)
        progress = 0.0
        with self._start() as process:
            assert process.stdout is not None
            for line in process.stdout:  # a progress bar's carriage return ends a line, too
                said = " ".join(line.split())
                if not said:
                    continue
                percent = _PERCENT.match(said)
                if percent is None:
                    lines.append(said)
                else:
                    progress = int(percent[1]) / 100.0
                on_progress(said, progress)
        if self._ended:
            raise TrainingFailed("the training was called off")
        if process.returncode != 0:
            raise TrainingFailed(_why(process.returncode, lines))
        return self._result(time.monotonic() - begun)

    def end(self) -> None:
        """Kill the process, if it runs; `run` then raises."""
        with self._lock:
            self._ended = True
            if self._process is not None and self._process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)

    def _start(self) -> subprocess.Popen[str]:
        with self._lock:
            if self._ended:
                raise TrainingFailed("the training was called off")
            self._process = subprocess.Popen(
                [*_prefix(), *self._command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
                errors="replace",
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
            return self._process

    def _result(self, seconds: float) -> TrainedFile:
        report = self._file.with_suffix(".json")
        try:
            found = json.loads(report.read_text())
            known = found["trained_on"]
            return TrainedFile(
                self._file, len(known["episodes"]), int(known["chunks"]), seconds, int(found["peak_memory_bytes"])
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TrainingFailed(f"the training ended well, but its report {report} can't be read: {error}") from error


def _prefix() -> list[str]:
    """Words before the command: it is behind the others, and ends with this process."""
    # util-linux; only other kinds of system lack it, and there an orphan ends when it has trained.
    setpriv = shutil.which("setpriv")
    nicer = max(0, NICENESS - os.nice(0))
    return [*([setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []), "nice", "-n", str(nicer)]


def _why(status: int, lines: Sequence[str]) -> str:
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    if errors:
        return errors[-1]
    ending = f"ended with status {status}" if status >= 0 else f"was ended by {signal.Signals(-status).name}"
    return f"the training's process {ending}; it had said: {' | '.join(lines) or 'nothing'}"
