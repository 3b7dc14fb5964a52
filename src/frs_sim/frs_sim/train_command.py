"""`frs train policy`: demonstrations by the experts, then the embedded policy by flow matching on them."""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

import torch

from frs_sim.demonstrations import generate
from frs_sim.scene import CAMERAS
from frs_sim.tasks import TRAINING
from frs_steering.learn.curve import plot_losses
from frs_steering.learn.demonstrations import load
from frs_steering.learn.train_policy import Recipe, train

EXAMPLES = """\
examples:
  frs train policy                               all of it (MODEL_CARD.md says how the package's weights differ)
  frs train policy --iterations 200 --episodes 2 --directory /tmp/try   a quick try
Interrupted? The same command goes on where it stopped.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    recipe = Recipe()
    parser.epilog = EXAMPLES
    parser.add_argument("what", choices=["policy"], help="what to train")
    parser.add_argument(
        "--episodes", type=int, default=110, help="demonstrations a task and round (default: %(default)s)"
    )
    parser.add_argument("--iterations", type=int, default=recipe.iterations, help="a round (default: %(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=2, help="after the first, policy and expert take turns (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of demonstrations and training (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes that demonstrate; and threads")
    parser.add_argument("--directory", type=Path, default=Path("runs/train"), help="for demonstrations and checkpoints")
    parser.add_argument("--out", type=Path, default=None, help="also copy the weights there")


def run(args: argparse.Namespace) -> int:
    """Demonstrate, train, and plot, round by round."""
    torch.set_num_threads(args.jobs)
    cameras = tuple(CAMERAS)
    shards: list[Path] = []
    weights, checkpoint = None, None
    for number in range(args.rounds):
        out = args.directory / f"round-{number}"
        shards += generate(
            TRAINING, args.episodes, args.directory / "demonstrations",
            seed=args.seed + number, jobs=args.jobs, weights=weights,
        )  # fmt: skip
        frames = load([path for path in shards if path.exists()], cameras)
        # Later rounds mend what is there: they start lower.
        recipe = Recipe(iterations=args.iterations, seed=args.seed + number, rate=Recipe.rate / (1 + number))
        weights = train(frames, recipe, out, cameras, start=checkpoint)
        checkpoint = out / "checkpoint.pt"
        plot = plot_losses(out / "losses.jsonl", out / "losses.png")
        print(f"round {number}: {len(frames)} frames, weights in {weights}, loss curve in {plot}")
    if args.out is not None and weights is not None:
        shutil.copyfile(weights, args.out)
    return 0
