"""`frs train`: the embedded policy on demonstrations, or a noise policy on recorded episodes."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from frs_steering import train_noise_command
from frs_steering.learn.demonstrations import DemonstrationError, Sights
from frs_steering.learn.errors import TrainingError
from frs_steering.learn.train_policy import LEAST_ITERATIONS, Recipe, train

EXAMPLES = """\
examples:
  frs train dsbc recordings    a noise policy from recorded rollouts, in seconds
  frs train policy             the embedded policy, in hours
  frs train WHAT --help        more about each
"""

POLICY_EXAMPLES = """\
examples:
  frs train policy                               all of it (MODEL_CARD.md says how the package's weights differ)
  frs train policy --iterations 200 --episodes 2 --turns 1 --scenes 200 --directory /tmp/try   a quick try
Interrupted? The same command goes on where it stopped.
Another training, such as one of another --seed, wants another --directory.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLES
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    for name, summary in (
        ("policy", "make demonstrations and train the embedded policy on them"),
        ("dsbc", "train a noise policy on recorded rollouts: cloning in the space of noise"),
        ("bc", "train the baseline on recorded rollouts: cloning of the chunks, by a network of the same size"),
    ):
        description = f"{summary[0].upper()}{summary[1:]}."
        sub = what.add_parser(
            name, help=summary, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name == "policy":
            _add_policy_arguments(sub)
        else:
            train_noise_command.add_arguments(sub, name)


def run(args: argparse.Namespace) -> int:
    """Train what was asked for."""
    if args.what != "policy":
        return train_noise_command.run(args)
    try:
        return _train_policy(args)
    except (DemonstrationError, TrainingError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _add_policy_arguments(parser: argparse.ArgumentParser) -> None:
    recipe = Recipe()
    parser.epilog = POLICY_EXAMPLES
    parser.add_argument(
        "--episodes",
        type=_at_least(1),
        default=140,
        help="demonstrations a task in the first round (default: %(default)s)",
    )
    parser.add_argument(
        "--turns", type=_at_least(1), default=40, metavar="EPISODES",
        help="episodes a task in each later round, in which policy and expert take turns (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--iterations", type=_at_least(LEAST_ITERATIONS), default=recipe.iterations,
        help="of each round; a later one starts with what there is (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--scenes", type=_at_least(1), default=40_000, help="scattered things to learn to see by (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=_at_least(1), default=2, help="(default: %(default)s)")
    parser.add_argument(
        "--seed", type=_at_least(0), default=0, help="of demonstrations and training (default: %(default)s)"
    )
    parser.add_argument(
        "--jobs", type=_at_least(1), default=os.cpu_count(), help="processes that demonstrate; and threads"
    )
    parser.add_argument("--directory", type=Path, default=Path("runs/train"), help="for demonstrations and checkpoints")
    parser.add_argument("--out", type=Path, default=None, help="also copy the weights there")


def _at_least(low: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if value < low:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {low} on")
        return value

    return number


def _train_policy(args: argparse.Namespace) -> int:
    """Demonstrate, train, and plot, round by round."""
    # Here, because a noise policy's training needs no simulator.
    from frs_sim.demonstrations import generate
    from frs_sim.scene import CAMERAS
    from frs_sim.sight import scatter
    from frs_sim.tasks import TRAINING
    from frs_steering.learn.demonstrations import load_sights

    torch.set_num_threads(args.jobs)
    looks = scatter(args.scenes, args.directory / "sights", seed=args.seed, jobs=args.jobs)
    sights = load_sights(looks, tuple(CAMERAS))
    shards: list[Path] = []
    weights, checkpoint = None, None
    for number in range(args.rounds):
        shards += generate(
            TRAINING, args.turns if number else args.episodes, args.directory / "demonstrations",
            seed=args.seed + number, jobs=args.jobs, weights=weights,
        )  # fmt: skip
        out = args.directory / f"round-{number}"
        weights = _train_round(Recipe(args.iterations, seed=args.seed + number), shards, sights, out, checkpoint)
        checkpoint = out / "checkpoint.pt"
    if args.out is not None and weights is not None:
        shutil.copyfile(weights, args.out)
    return 0


def _train_round(recipe: Recipe, shards: Sequence[Path], sights: Sights, out: Path, start: Path | None) -> Path:
    """Train on all shards that there are; returns the weights. Its frames, gigabytes, go with it."""
    from frs_sim.scene import CAMERAS
    from frs_sim.tasks import TASKS, TRAINING
    from frs_steering.learn.curve import plot_losses
    from frs_steering.learn.demonstrations import load

    cameras, sentences = tuple(CAMERAS), [TASKS[name].instruction for name in TRAINING]
    frames = load([path for path in shards if path.exists()], cameras, sentences)
    shown = frames.instruction.unique().tolist()
    if silent := [sentence for i, sentence in enumerate(frames.vocabulary, 1) if i not in shown]:
        print(f"no demonstration succeeded of: {', '.join(silent)}; try more --episodes", file=sys.stderr)
    weights = train(frames, sights, recipe, out, cameras, start=start)
    plot = plot_losses(out / "losses.jsonl", out / "losses.png")
    print(f"{out.name}: {len(frames)} frames, weights in {weights}, loss curve in {plot}")
    return weights
