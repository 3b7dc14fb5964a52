"""`frs train dsbc` and `frs train bc`: from recorded episodes to a noise policy, without the policy.

Also a program of its own, `python -m frs_steering.train_noise_command dsbc RUNS`, for a process that trains for
another (`nodes.training_process`).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from frs_steering.flow import INTEGRATORS
from frs_steering.learn.episodes import Episode, find
from frs_steering.learn.errors import TrainingError
from frs_steering.learn.noise_curve import plot_curves
from frs_steering.learn.noise_data import Limits, NoiseData, gather
from frs_steering.learn.noise_network import KINDS, LOSSES
from frs_steering.learn.noise_policy import save
from frs_steering.learn.rollouts import Rollout
from frs_steering.learn.train_noise_policy import LOOK_EVERY, Look, Recipe, Trained, config_for, train
from frs_steering.record.errors import JournalError

_TEACHES = {"dsbc": "the noises that were used in it", "bc": "the chunks that were driven in it"}

EXAMPLES = """\
Each successful episode in RUNS (label "succeeded") teaches {teaches}; the others are
counted and left out. The policy's features and where the arm is are seen as they were recorded; the policy itself is
loaded for demonstrations only. Some chunks are trained on, the others looked at, and the weights that do best there are
kept.

examples:
  frs train {kind} recordings                           all episodes below that folder
  frs train {kind} recordings/egg-0*                    some of them
  frs train {kind} recordings --max-round-trip 0.5      without chunks that came out far from what was wished
  frs train {kind} demonstrations --from-demonstrations what somebody demonstrated
  frs train {kind} dataset                              a LeRobotDataset (v3) that frs record export wrote

FILE.png beside FILE shows the loss, FILE.json says what was learnt from, what was left out and why, and what it cost.
Then: frs eval --methods base,{kind} --noise-policy FILE --tasks TASK
"""


def add_arguments(parser: argparse.ArgumentParser, kind: str) -> None:
    """Declare the arguments of `frs train dsbc` or `frs train bc`."""
    recipe, limits = Recipe(), Limits()
    parser.epilog = EXAMPLES.format(kind=kind, teaches=_TEACHES[kind])
    add = parser.add_argument
    add("runs", nargs="+", type=Path, metavar="RUNS", help="recorded episodes, folders of them, or LeRobotDatasets")
    add(
        "--out",
        type=Path,
        default=None,
        metavar="FILE",
        help=f"(default: runs/learn/TASK-{kind}.safetensors; of demonstrations TASK-offline-{kind}.safetensors)",
    )
    add("--rollouts", type=int, default=None, metavar="N", help="learn from the first N that succeeded (default: all)")
    add("--from-demonstrations", action="store_true",
        help="learn what was demonstrated, not what the policy did"
        + (": reverse the chunks (offline DSBC)" if kind == "dsbc" else "") + "; the policy is loaded")  # fmt: skip
    add("--every", type=int, default=1, metavar="N",
        help="demonstrated chunks begin at every N-th control step (default: %(default)s)")  # fmt: skip
    add(
        "--weights", type=Path, default=None, help="of the embedded policy, for demonstrations (default: the package's)"
    )
    if kind == "dsbc":
        add("--integrator", choices=INTEGRATORS, default="fixed_point",
            help="of the reversal: the fixed point inverts the sampler (default: %(default)s)")  # fmt: skip
        add("--noise", default="full", help="full, tiled, or dct<k>: what of a noise is learnt (default: %(default)s)")
    add(
        "--loss", choices=LOSSES, default="mse",
        help="mse: squared error; nll: likelihood (default: %(default)s)",
    )  # fmt: skip
    add("--bound", type=float, default=5.0, help="of the output, by a tanh (default: %(default)s)")
    add("--steps", type=int, default=recipe.steps, help="of the optimiser, at most (default: %(default)s)")
    add("--seed", type=int, default=recipe.seed, help="of split, weights and batches (default: %(default)s)")
    add("--max-noise-percentile", type=float, default=limits.noise_percentile, metavar="P",
        help="leave out chunks from longer noise, 0..1 (default: none)")  # fmt: skip
    add("--max-round-trip", type=float, default=limits.round_trip_rms, metavar="RMS",
        help="leave out chunks farther from their reference (default: none)")  # fmt: skip
    add("--min-agreement", type=float, default=limits.agreement, metavar="COSINE",
        help="leave out chunks that went elsewhere than wished, -1..1 (default: none)")  # fmt: skip
    add("--max-residual", type=float, default=limits.fixed_point_residual, metavar="RMS",
        help="leave out chunks whose fixed point did not close (default: none)")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Read, train, write; 2 where what was given makes no sense, 1 where nothing can be learnt."""
    torch.set_num_threads(1)  # a second one only waits for the first in a network of this size
    kind, noise = args.what, getattr(args, "noise", "full")
    limits = Limits(args.max_noise_percentile, args.max_round_trip, args.min_agreement, args.max_residual)
    try:
        _check(args)
        episodes = find(args.runs)
        if args.from_demonstrations:
            found, how = _demonstrated(episodes, args)
        else:
            found, how = _read(episodes, "reading", lambda episode: episode.rollout()), ""
        rollouts = _first(found, args.rollouts)
        data = gather(rollouts, kind=kind, noise=noise, bound=args.bound, limits=limits, demonstrations=how)
        for line in data.quality.lines():
            print(line)
        config = config_for(data, kind=kind, noise=noise, loss=args.loss, bound=args.bound)
        print(f"looks at {len(config.looks_at)} of {config.seen} numbers, those that tell of the task")
        with tqdm(total=args.steps, desc="training", unit="step") as bar:
            made = train(data, config, Recipe(steps=args.steps, seed=args.seed), lambda look: _show(bar, look))
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return _write(made, data, args.out or _default_out(rollouts, kind, demonstrated=args.from_demonstrations))


def _first(rollouts: list[Rollout], most: int | None) -> list[Rollout]:
    """All up to the last of the first `most` that succeeded."""
    if most is None:
        return rollouts
    good = [index for index, rollout in enumerate(rollouts) if rollout.label == "succeeded"]
    if not 1 <= most <= len(good):
        raise ValueError(f"--rollouts is {most}; it must lie in [1, {len(good)}], as many as succeeded")
    return rollouts[: good[most - 1] + 1]


def _check(args: argparse.Namespace) -> None:
    if not (math.isfinite(args.bound) and args.bound > 0.0):
        raise ValueError(f"--bound is {args.bound}; it must be above 0")
    if args.steps < LOOK_EVERY:
        raise ValueError(f"--steps is {args.steps}; it must be at least {LOOK_EVERY}")
    for name, low, high in (("max_noise_percentile", 0.0, 1.0), ("max_round_trip", 0.0, math.inf),
                            ("min_agreement", -1.0, 1.0), ("max_residual", 0.0, math.inf)):  # fmt: skip
        if not low <= (value := getattr(args, name)) <= high:  # and so not NaN
            raise ValueError(f"--{name.replace('_', '-')} is {value}; it must lie in [{low:g}, {high:g}]")
    demonstrations = {"--every": args.every != 1, "--weights": args.weights is not None,
                      "--integrator": getattr(args, "integrator", "fixed_point") != "fixed_point"}  # fmt: skip
    for name, given in demonstrations.items():
        if given and not args.from_demonstrations:
            raise ValueError(f"{name} is for demonstrations alone: give --from-demonstrations, or leave it out")
    if args.every < 1:
        raise ValueError(f"--every is {args.every}; it must be at least 1")


def _read(episodes: Sequence[Episode], doing: str, make: Callable[[Episode], Rollout]) -> list[Rollout]:
    """The episodes, each made by `make`; one that can't be read costs itself and a line."""
    found = []
    for episode in tqdm(episodes, desc=doing, unit="episode"):
        try:
            found.append(make(episode))
        except (JournalError, OSError) as error:
            tqdm.write(f"left out: {error}", file=sys.stderr)
    return found


def _demonstrated(episodes: Sequence[Episode], args: argparse.Namespace) -> tuple[list[Rollout], str]:
    """The demonstrations as rollouts, and how their targets were found, for the file."""
    from frs_steering.learn.reversal import Reversal, encoded_rollout, reversed_rollout  # here, as all else trains
    from frs_steering.policies import load_policy  # without a policy

    policy = load_policy("embedded", args.weights)
    if args.what == "bc":
        made = _read(episodes, "encoding", lambda e: encoded_rollout(e.demonstration(policy.spec, args.every), policy))
        return made, f"as driven, every={args.every}"
    how = Reversal(args.integrator)
    made = _read(
        episodes, "reversing", lambda e: reversed_rollout(e.demonstration(policy.spec, args.every), policy, how)
    )
    return made, f"{how}, every={args.every}"


def _show(bar: tqdm, look: Look) -> None:
    if look.step < bar.n:
        bar.write("nothing was learnt that holds for the chunks held out; others are held out")
    bar.set_postfix_str(f"loss {look.trained:.3f}, held out {look.held_out:.3f}", refresh=False)
    bar.update(look.step - bar.n)


def _default_out(rollouts: Sequence[Rollout], kind: str, *, demonstrated: bool) -> Path:
    tasks = {one.task for one in rollouts if one.label == "succeeded"}
    name = "tasks" if len(tasks) > 1 else next(iter(tasks), "") or "noise"
    return Path("runs/learn") / f"{name}-{'offline-' if demonstrated else ''}{kind}.safetensors"


def _write(made: Trained, data: NoiseData, out: Path) -> int:
    report = {
        "trained_on": dataclasses.asdict(made.trained_on),
        "config": dataclasses.asdict(made.network.config),
        "quality": dataclasses.asdict(data.quality),
        "seconds": round(made.seconds, 2),
    }
    beside = out.with_name(out.name.removesuffix(".safetensors"))  # with_suffix would cut "egg-0.5" short
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        save(made.network, made.trained_on, made.held_out, out)
        plot = plot_curves(made, beside.with_name(f"{beside.name}.png"))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB; plotting is in it
        told = json.dumps(report | {"peak_memory_bytes": memory}, indent=1)
        beside.with_name(f"{beside.name}.json").write_text(told + "\n")
    except OSError as error:
        print(f"error: {out} can't be written: {error.strerror or error}", file=sys.stderr)
        return 1
    print(f"{made.seconds:.1f} s, {memory / 1e6:.0f} MB at most; held-out loss {made.best.held_out:.3f}"
          f" after {made.best.step} steps\n{out}, {plot.name} and {beside.name}.json beside it")  # fmt: skip
    return 0


def main(argv: list[str] | None = None) -> int:
    """Entry point of the program: the words that follow `frs train`; returns the exit status."""
    parser = argparse.ArgumentParser(prog="train_noise_command", formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    for kind in KINDS:
        add_arguments(what.add_parser(kind, formatter_class=argparse.RawDescriptionHelpFormatter), kind)
    return run(parser.parse_args(argv))


if __name__ == "__main__":
    sys.exit(main())
