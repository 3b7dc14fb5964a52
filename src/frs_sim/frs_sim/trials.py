"""Many episodes in parallel: the same seeds for every method, one process a core."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import torch
from tqdm import tqdm

from frs_sim.cell import CONTROL_RATE, Cell, Eyes
from frs_sim.evaluation import Episode, run_episode
from frs_steering.policies import Policy, load_policy

SPAWN = get_context("spawn")  # a forked process hangs in a GL context that its parent has opened
METHODS = {"base": False, "frs": True}
"""Whether a method steers by the oracle's directions."""


@dataclass(frozen=True)
class Trial:
    """One episode to run."""

    task: str
    method: str
    seed: int
    steps: int
    weights: Path | None


@dataclass(frozen=True)
class Score:
    """Successes of one method on one task, with the 95 % Wilson interval of the success rate."""

    task: str
    method: str
    n: int
    successes: int
    low: float
    high: float


def run_trials(trials: Iterable[Trial], jobs: int, out: Path) -> list[tuple[Trial, Episode]]:
    """Run the trials in `jobs` processes; rows are appended to `out`/episodes.jsonl as they come.

    A trial whose row is there already is not run again, so that an interrupted evaluation goes on.
    """
    out.mkdir(parents=True, exist_ok=True)
    rows = out / "episodes.jsonl"
    known = _read(rows)
    wanted = list(trials)
    missing = [trial for trial in wanted if _key(trial) not in known]
    began, simulated = time.monotonic(), 0.0
    with (
        ProcessPoolExecutor(jobs, mp_context=SPAWN) as pool,
        rows.open("a") as log,
        tqdm(total=len(missing), unit="episode") as bar,
    ):
        futures = {pool.submit(_run, trial): trial for trial in missing}
        for future in as_completed(futures):
            trial, episode = futures[future], future.result()
            known[_key(trial)] = episode
            fields = {"method": trial.method, "k": trial.steps, "weights": str(trial.weights or "")}
            log.write(json.dumps(fields | dataclasses.asdict(episode)) + "\n")
            log.flush()
            simulated += episode.steps / CONTROL_RATE
            bar.update()
            bar.set_postfix_str(f"{simulated / (time.monotonic() - began):.1f}x real time")
    return [(trial, known[_key(trial)]) for trial in wanted]


def score(results: Iterable[tuple[Trial, Episode]]) -> list[Score]:
    """Count successes per task and method, in the order of their first appearance."""
    groups: dict[tuple[str, str], list[bool]] = {}
    for trial, episode in results:
        groups.setdefault((trial.task, trial.method), []).append(episode.success)
    return [
        Score(task, method, len(group), sum(group), *wilson(sum(group), len(group)))
        for (task, method), group in groups.items()
    ]


def wilson(successes: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson score interval of a success rate (Wilson 1927); 95 % for z = 1.96."""
    if n == 0:
        return 0.0, 1.0
    rate, square = successes / n, z * z / n
    centre = rate + square / 2
    half = z * math.sqrt(rate * (1 - rate) / n + square / (4 * n))
    return max(0.0, (centre - half) / (1 + square)), min(1.0, (centre + half) / (1 + square))


_workshop: tuple[Cell, Eyes] | None = None
_policies: dict[Path | None, Policy] = {}


def _run(trial: Trial) -> Episode:
    global _workshop  # one cell, one GL context and one policy a worker process
    torch.set_num_threads(1)
    if _workshop is None:
        cell = Cell(trial.task, trial.seed)
        _workshop = cell, Eyes(cell.model)
    if trial.weights not in _policies:
        _policies[trial.weights] = load_policy("embedded", trial.weights)
    cell, eyes = _workshop
    policy = _policies[trial.weights]
    return run_episode(cell, eyes, policy, trial.task, trial.seed, steered=METHODS[trial.method], steps=trial.steps)


def _key(trial: Trial) -> tuple[str, str, int, int, str]:
    return trial.task, trial.method, trial.seed, trial.steps, str(trial.weights or "")


def _read(path: Path) -> dict[tuple[str, str, int, int, str], Episode]:
    known = {}
    if path.exists():
        for line in path.read_text().splitlines():
            row = json.loads(line)
            key = (row["task"], row.pop("method"), row["seed"], row.pop("k"), row.pop("weights"))
            known[key] = Episode(**row)
    return known
