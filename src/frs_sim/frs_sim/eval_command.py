"""`frs eval`: the policy alone against the policy steered, in free-running simulation."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from pathlib import Path

from frs_sim.tasks import DEMO, FIRST_HELD_OUT_SEED, HELD_OUT, TRAINING, TaskError, find_task
from frs_sim.trials import METHODS, Score, Trial, run_trials, score

EXAMPLES = """\
examples:
  frs eval                                       the demo's task, base against frs, 50 episodes each
  frs eval --tasks train --methods base          does the policy do what it was taught?
  frs eval --tasks heldout --episodes 20 --steps 5
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLES
    parser.add_argument(
        "--tasks", default=DEMO, help="names, comma between; or 'train', or 'heldout' (default: %(default)s)"
    )
    parser.add_argument(
        "--methods", default="base,frs", help=f"of {', '.join(METHODS)}; comma between (default: %(default)s)"
    )
    parser.add_argument("--episodes", type=int, default=50, help="for each task and method (default: %(default)s)")
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="of the first scene, counted among those kept for evaluation (from 2^31 on); the same for every method",
    )
    parser.add_argument("--steps", type=int, default=10, help="K, Euler steps each way (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (default: all cores)")
    parser.add_argument("--weights", type=Path, default=None, help="of the embedded policy (default: the package's)")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/eval"), help="for the rows and the summary (default: %(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the evaluation, print the table, write the summary; 2 where the arguments make no sense."""
    try:
        tasks = _tasks(args.tasks)
        methods = _methods(args.methods)
    except ValueError as error:
        print(f"error: {error}")
        return 2
    seeds = [FIRST_HELD_OUT_SEED + args.seed + i for i in range(args.episodes)]
    trials = [Trial(task, method, seed, args.steps, args.weights) for seed in seeds for task in tasks
              for method in methods]  # fmt: skip
    scores = score(run_trials(trials, args.jobs, args.out))
    summary = args.out / "summary.json"
    summary.write_text(json.dumps([dataclasses.asdict(s) for s in scores], indent=2) + "\n")
    print(table(scores))
    print(f"rows in {args.out / 'episodes.jsonl'}, summary in {summary}")
    return 0


def table(scores: list[Score]) -> str:
    """The scores as a Markdown table with 95 % Wilson intervals."""
    lines = ["| task | method | success | 95 % interval | episodes |", "|---|---|---|---|---|"]
    for s in scores:
        rate, low, high = (f"{100 * value:.0f}" for value in (s.successes / s.n, s.low, s.high))
        lines.append(f"| {s.task} | {s.method} | {rate} % | {low} .. {high} % | {s.n} |")
    return "\n".join(lines)


def _tasks(words: str) -> list[str]:
    groups = {"train": TRAINING, "heldout": HELD_OUT}
    names = groups.get(words, tuple(words.split(",")))
    try:
        return [find_task(name).name for name in names]
    except TaskError as error:
        raise ValueError(f"{error}; or 'train', or 'heldout'") from error


def _methods(words: str) -> list[str]:
    for name in words.split(","):
        if name not in METHODS:
            raise ValueError(f"no method is called {name!r}; there are: {', '.join(METHODS)}")
    return words.split(",")
