"""Many episodes in parallel: the same scenes for every method, one process a core, one thread a process."""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, parent_process
from pathlib import Path
from types import MappingProxyType

import cv2
import torch
from tqdm import tqdm

from frs_sim import workshop
from frs_sim.cell import CONTROL_RATE
from frs_sim.evaluation import run_episode
from frs_sim.graphics import SPAWN
from frs_sim.reasoners import parse_reasoner
from frs_sim.recording import Recording, is_recorded
from frs_sim.rows import NOBODY, Episode, Journal, Row, Trial
from frs_sim.tasks import find_task
from frs_steering.learn.noise_policy import NoisePolicy, load
from frs_steering.steer.method import Method, parse_method

_QUIET = 30.0  # s between two lines of progress where nobody watches


class TrialError(RuntimeError):
    """An episode could not be run; the message names it."""


def run_trials(
    trials: Sequence[Trial],
    jobs: int,
    weights: Path | None,
    journal: Journal,
    learned: Mapping[str, Path] = MappingProxyType({}),
    record: Path | None = None,
) -> list[Row]:
    """Run the trials in `jobs` processes, and return their rows in the order of the trials.

    A trial whose row is in the journal is not run again, so that an interrupted evaluation goes on. `weights` is the
    file whose digest the trials bear; None is the package's. `learned` are the noise policies' files: method -> file.
    What is run is recorded in the directory `record`, if there is one; a trial that is not recorded there is run again.

    Raises:
        TrialError: an episode failed, or a process died; the rows so far are in the journal.
    """
    unrecorded = {trial for trial in trials if record is not None and not is_recorded(record, trial)}
    again = len(unrecorded & journal.rows.keys())
    if again:
        print(f"{again} of them are run again: they are not recorded in {record} yet", file=sys.stderr)
    missing = [trial for trial in trials if trial not in journal.rows or trial in unrecorded]
    if missing:
        _run_all(missing, min(jobs, len(missing)), weights, journal, learned, record)
    return [journal.rows[trial] for trial in trials]


def _run_all(
    missing: list[Trial],
    jobs: int,
    weights: Path | None,
    journal: Journal,
    learned: Mapping[str, Path],
    record: Path | None,
) -> None:
    others = active_children()
    began, simulated = time.monotonic(), 0.0
    with (
        ProcessPoolExecutor(jobs, mp_context=SPAWN, initializer=_begin) as pool,
        tqdm(total=len(missing), unit="episode", mininterval=0.1 if sys.stderr.isatty() else _QUIET) as bar,
    ):
        futures = {pool.submit(_run, trial, weights, learned.get(trial.method), record): trial for trial in missing}
        try:
            for future in as_completed(futures):
                row = Row(futures[future], _outcome(futures[future], future))
                journal.add(row)
                simulated += row.episode.steps / CONTROL_RATE
                bar.set_postfix_str(f"{simulated / (time.monotonic() - began):.1f}x real time", refresh=False)
                bar.update()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(active_children()) - set(others):
                process.terminate()
            raise


def _outcome(trial: Trial, future: Future[Episode]) -> Episode:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise TrialError("a process of the evaluation died (killed, or out of memory)") from error
    except Exception as error:
        name = f"{trial.task}, {trial.method}, scene {trial.scene}"
        raise TrialError(f"the episode {name} failed: {type(error).__name__}: {error}") from error


# In the worker processes


def _begin() -> None:
    """Prepare a worker: one thread, and an end as soon as the parent ends, however it ends."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C reaches the whole group; its traceback is the parent's
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    parent = parent_process()
    assert parent is not None, "workers are started by multiprocessing"
    parent.join()
    os._exit(1)


@functools.cache
def _noise_policy(path: Path) -> NoisePolicy:
    return load(path)


def _run(trial: Trial, weights: Path | None, learned: Path | None, record: Path | None) -> Episode:
    cell, eyes, policy = workshop.cell(), workshop.eyes(), workshop.policy(weights)
    noise_policy = _noise_policy(learned) if learned else None
    if noise_policy is not None and noise_policy.sha256 != trial.noise_policy:
        raise TrialError(f"{learned} was replaced while the evaluation ran")
    told = trial.instruction or find_task(trial.task).instruction
    recording = None
    if record is not None and not is_recorded(record, trial):
        version = noise_policy.version if noise_policy is not None else ""
        recording = Recording(record, trial, told, policy.spec, version)
    episode = run_episode(
        cell, eyes, policy, trial.task, trial.scene,
        method=Method() if learned else parse_method(trial.method),
        reasoner=None if trial.reasoner == NOBODY else parse_reasoner(trial.reasoner).make(trial.scene),
        every=trial.every,
        in_distribution=trial.in_distribution,
        near_end=trial.near_end,
        instruction=trial.instruction,
        noise_policy=noise_policy,
        watcher=recording,
    )  # fmt: skip
    if recording is not None:
        recording.close(success=episode.success)
    return episode
