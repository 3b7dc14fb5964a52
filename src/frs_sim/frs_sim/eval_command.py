"""`frs eval`: the policy alone against the policy steered, in free-running simulation."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from frs_sim.cell import CONTROL_RATE
from frs_sim.code_hash import code_hash
from frs_sim.eval_plots import plot
from frs_sim.eval_table import report
from frs_sim.learned import LEARNED, load_learned
from frs_sim.reasoners import ReasonerChoice, parse_reasoner
from frs_sim.rows import NOBODY, PARQUET, Journal, Row, RowsError, Trial, read_parquet, write_parquet
from frs_sim.scores import summary
from frs_sim.tasks import FIRST_HELD_OUT_SEED, HELD_OUT, TRAINING, find_task
from frs_sim.trials import TrialError, run_trials
from frs_steering.flow import Parameterisation
from frs_steering.learn.noise_policy import NoisePolicy
from frs_steering.policies import PolicySpec, load_policy
from frs_steering.steer.method import Method, MethodError, parse_method

T = TypeVar("T")

SCENES = 10_000
"""Scenes of one --seed; those of the next seed follow."""
MOST_SEED = 1_000_000_000

EXAMPLES = f"""\
examples:
  frs eval                                         the held-out tasks, base against frs, 50 episodes each
  frs eval --tasks train --methods base            does the policy do what it was taught?
  frs eval --episodes 17 --seed 0,1,2              51 episodes each, of three disjoint blocks of scenes
  frs eval --methods base frs:steps=2 frs:steps=5 frs frs:steps=20      the effect of K, and a plot of it
  frs eval --reasoner oracle,noisy:0.1,noisy:0.2 --every 1,2,4          of wrong, and of rare, guidance
  frs eval --methods base --near-end               can the policy finish a held-out task?
  frs eval --tasks egg_in_basket --methods base,frs,dsbc,bc --noise-policy egg-dsbc.safetensors egg-bc.safetensors
                                                   what was learnt from rollouts (frs train dsbc --help)
  frs eval --tasks ring_on_stand --methods direct --reasoner expert --episodes 20 --record demonstrations
                                                   the scripted expert demonstrates, for frs train dsbc
  frs eval --plot runs/eval                        the table and the plots anew, without running anything

A method is a name with settings: base, frs, frs:steps=20, frs:steps=20,delegate=no. Methods are parted by spaces or
commas; key=value after a comma belongs to the method before it. A method that takes no guidance is run once, whatever
--reasoner and --every say; dsbc, offline-dsbc (trained on demonstrations) and bc are such, and say by a file of
--noise-policy what to denoise, or to drive. The expert says no directions but whole chunks, which direct drives.

DIR holds episodes.parquet (one row an episode), summary.json, summary.md and the plots, all of this command's episodes
alone; and journal.jsonl, of all that were ever run there. Interrupted? The same command goes on where it stopped. A row
is used again only for the same task, scene, method, reasoner, weights and code.

Scenes of seed S are numbered from 2^31 + {SCENES} S on (demonstrations have numbers below 2^31), and are the same for
every method, reasoner and weights.
"""


class ArgumentError(ValueError):
    """An argument that makes no sense, in one line."""


@dataclass(frozen=True)
class Plan:
    """The checked arguments."""

    trials: list[Trial]
    jobs: int
    weights: Path | None
    out: Path
    learned: dict[str, Path]
    record: Path | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLES
    add = parser.add_argument
    add("--tasks", default="heldout", help="names, comma between; or 'train', or 'heldout' (default: %(default)s)")
    add("--methods", nargs="+", default=["base,frs"], help="see below (default: base,frs)")
    add(
        "--reasoner", default="oracle", metavar="NAME,...",
        help="who gives directions: 'oracle', 'oracle:A' that says all of them with amount A, 'noisy:P' or 'noisy:P:A'"
        " that errs with probability P; several are compared; 'expert' demonstrates"
        " (default: %(default)s)",
    )  # fmt: skip
    add(
        "--every", default="1", metavar="N,...",
        help="guidance at every N-th chunk, at the others the policy acts alone; several are compared"
        " (default: %(default)s)",
    )  # fmt: skip
    add("--episodes", type=int, default=50, help="for each task, method and seed (default: %(default)s)")
    add("--seed", default="0", metavar="S,...", help="blocks of scenes, disjoint (default: %(default)s)")
    add("--jobs", type=int, default=os.cpu_count(), help="processes (default: all cores)")
    add("--noise-policy", nargs="+", type=Path, default=[], metavar="FILE", help="of the learnt methods, one each")
    add("--weights", type=Path, default=None, help="of the embedded policy (default: the package's)")
    add(
        "--in-distribution", action="store_true",
        help="measure how likely steered chunks and their references are under the policy; takes more time",
    )  # fmt: skip
    add(
        "--near-end", action="store_true",
        help="the expert drives until the last thing is held above its place, the method from there: does the policy"
        " know how to finish?",
    )  # fmt: skip
    add(
        "--instruction", default="", metavar="TEXT",
        help="what the policy is told instead of the tasks' own sentences; one that was not trained leaves it to guess",
    )  # fmt: skip
    add("--out", type=Path, default=Path("runs/eval"), metavar="DIR", help="for the results (default: %(default)s)")
    add(
        "--record", type=Path, default=None, metavar="DIR",
        help="write each episode that is run as a file of the journal, for frs train dsbc|bc and frs record",
    )  # fmt: skip
    add("--plot", type=Path, default=None, metavar="DIR", help="only draw DIR's table and plots anew")


def run(args: argparse.Namespace) -> int:
    """Run the evaluation, print the table, write everything; 2 where the arguments make no sense, 1 where it fails."""
    try:
        if args.plot is not None:
            return _present(read_parquet(args.plot / PARQUET), args.plot)
        plan = _plan(args)
        journal = Journal(plan.out)
    except (ArgumentError, RowsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    with journal:
        there = sum(trial in journal.rows for trial in plan.trials)
        if there:
            print(f"{there} of {len(plan.trials)} episodes are in {journal.path} already", file=sys.stderr)
        began = time.monotonic()
        try:
            rows = run_trials(plan.trials, plan.jobs, plan.weights, journal, plan.learned, plan.record)
        except TrialError as error:
            print(f"error: {error}\nThe episodes so far are in {journal.path}; the same command goes on from there.",
                  file=sys.stderr)  # fmt: skip
            return 1
        except KeyboardInterrupt:
            print(f"stopped; what was finished is in {journal.path}, the same command goes on from there",
                  file=sys.stderr)  # fmt: skip
            raise
        _say_speed(rows, len(plan.trials) - there, time.monotonic() - began)
        write_parquet(rows, plan.out / PARQUET)
        return _present(rows, plan.out)


def _present(rows: Sequence[Row], folder: Path) -> int:
    text = report(rows)
    (folder / "summary.json").write_text(json.dumps(summary(rows), indent=1) + "\n")
    (folder / "summary.md").write_text(text)
    plots = plot(rows, folder)
    print(f"\n{text}\n{len(rows)} episodes in {folder / PARQUET}, summary.json, summary.md and plots beside it: "
          f"{', '.join(path.name for path in plots)}")  # fmt: skip
    return 0


def _say_speed(rows: Sequence[Row], ran: int, seconds: float) -> None:
    if ran == len(rows):
        simulated = sum(row.episode.steps for row in rows) / CONTROL_RATE
        print(f"{simulated:.0f} s simulated in {seconds:.0f} s: {simulated / seconds:.1f} times real time")


def _plan(args: argparse.Namespace) -> Plan:
    tasks = _tasks(args.tasks)
    methods = _listed(split_methods(args.methods), _method)
    reasoners = _listed(args.reasoner.split(","), parse_reasoner)
    everies = _listed(args.every.split(","), lambda text: _number("--every", text, 1, 1000))
    seeds = _listed(args.seed.split(","), lambda text: _number("--seed", text, 0, MOST_SEED))
    _number("--episodes", args.episodes, 1, SCENES)
    _number("--jobs", args.jobs, 1, 1024)
    try:
        spec = load_policy("embedded", args.weights).spec
        learned = load_learned(args.noise_policy, spec)
    except ValueError as error:
        raise ArgumentError(str(error)) from error
    for method in methods:
        _check_fits(method, spec)
    _check_learned(methods, learned)
    _check_demonstrating(methods, reasoners)
    guided = [(str(reasoner), every) for reasoner in reasoners for every in everies]
    conditions = [
        (str(method), *guide)
        for method in methods
        for guide in (guided if isinstance(method, Method) and method.needs_reference else [(NOBODY, 1)])
    ]
    code = code_hash()
    trials = [
        Trial(
            task,
            method,
            reasoner,
            every,
            seed,
            scene,
            spec.weights_sha256,
            code,
            args.in_distribution,
            near_end=args.near_end,
            instruction=args.instruction,
            noise_policy=learned[method].sha256 if method in learned else "",
        )
        for seed in seeds
        for scene in scenes(seed, args.episodes)
        for task in tasks
        for method, reasoner, every in conditions
    ]
    files = {name: noise_policy.path for name, noise_policy in learned.items()}
    return Plan(trials, args.jobs, args.weights, args.out, files, args.record)


def _check_fits(method: Method | str, spec: PolicySpec) -> None:
    try:
        Parameterisation(method.noise if isinstance(method, Method) else "full").rows(spec.horizon)
    except ValueError as error:
        raise ArgumentError(f"method {method}: {error}") from error


def _check_demonstrating(methods: Sequence[Method | str], reasoners: Sequence[ReasonerChoice]) -> None:
    steered = [method for method in methods if isinstance(method, Method) and method.needs_reference]
    wrong = [str(method) for method in steered if method.source != "direct"]
    if wrong and any(reasoner.demonstrates for reasoner in reasoners):
        raise ArgumentError(f"the reasoner 'expert' says whole chunks, for the method direct alone; not {wrong[0]!r}")


def _check_learned(methods: Sequence[Method | str], learned: Mapping[str, NoisePolicy]) -> None:
    for method in methods:
        if method in LEARNED and method not in learned:
            how = "dsbc --from-demonstrations" if method == "offline-dsbc" else method
            raise ArgumentError(f"method {method!r} needs its file: --noise-policy FILE (frs train {how} makes one)")
    for name, noise_policy in learned.items():
        if name not in methods:
            raise ArgumentError(f"{noise_policy.path} is for the method {name!r}, which --methods does not name")


def scenes(seed: int, episodes: int) -> range:
    """Seeds of the scenes of one --seed; those of different ones are disjoint."""
    first = FIRST_HELD_OUT_SEED + SCENES * seed
    return range(first, first + episodes)


def split_methods(words: Sequence[str]) -> list[str]:
    """The methods in the words of --methods: ["base,frs:steps=5,delegate=no"] -> ["base", "frs:steps=5,delegate=no"].

    key=value after a comma belongs to the method before it.
    """
    found: list[str] = []
    for word in words:
        for i, part in enumerate(word.split(",")):
            if i and "=" in part and ":" not in part:
                found[-1] += f",{part}"
            else:
                found.append(part)
    return found


def _tasks(words: str) -> list[str]:
    groups = {"train": TRAINING, "heldout": HELD_OUT}
    names = [name for word in words.split(",") for name in groups.get(word, (word,))]
    try:
        return _listed(names, lambda name: find_task(name).name)
    except ArgumentError as error:
        raise ArgumentError(f"{error}; or 'train', or 'heldout'") from error


def _method(text: str) -> Method | str:
    if text in LEARNED:
        return text
    try:
        method = parse_method(text)
    except MethodError as error:
        raise ArgumentError(f"{error}; or one that was learnt: {', '.join(LEARNED)}") from error
    if method.needs_noise:
        raise ArgumentError(f"method {text!r} takes its noise from outside, and nobody gives one here")
    return method


def _listed(texts: Sequence[str], read: Callable[[str], T]) -> list[T]:
    """Each text read; what is there twice counts once."""
    try:
        return list(dict.fromkeys(read(text) for text in texts))
    except ValueError as error:
        raise ArgumentError(str(error)) from error


def _number(name: str, text: str | int, low: int, high: int) -> int:
    try:
        number = int(text)
    except ValueError:
        raise ArgumentError(f"{name} is {text!r}; it must be a whole number") from None
    if not low <= number <= high:
        raise ArgumentError(f"{name} is {number}; it must lie in [{low}, {high}]")
    return number
