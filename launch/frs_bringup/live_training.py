"""`frs live train`: a noise policy from the running graph's own recordings, and the choice to put it live."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from frs_bringup.asking import Question
from frs_bringup.errors import NobodyAnswers, Refused
from frs_bringup.live_noise_policy import load
from frs_bringup.output import ProgressLine

if TYPE_CHECKING:
    from frs_bringup.asker import Asker

BAR = 20
"""Characters of the progress bar."""

_HELP = """\
examples:
  frs live train runs                              all successful episodes in runs/
  frs live train runs/egg-1 runs/egg-2 --file egg  two episodes, into egg.safetensors
  frs live train runs --go-live                    live as soon as it is trained, without asking

The training runs on the robot's computer, in a process of low priority beside the graph: the arm goes on, and you go on
steering. Then it asks whether to go live; without a terminal it says how. Ctrl-C calls it off and nothing is changed.
Record the episodes of one task in a directory of their own: all successes that are found are learnt from.
"""


def bar(progress: float, message: str) -> str:
    """Write how far it is: '[#####---------------]   25%  step 500 of 2000'."""
    share = min(max(0.0, progress), 1.0)  # in this order NaN becomes 0
    full = round(BAR * share)
    return f"[{'#' * full}{'-' * (BAR - full)}] {share:4.0%}  {message}"


def _train(asker: Asker, args: argparse.Namespace) -> int:
    from frs_msgs.action import TrainNoisePolicy

    if args.kind == "bc" and args.go_live:
        raise Refused("--kind bc says chunks; only dsbc, which says noises, can go live")
    line = ProgressLine()
    goal = TrainNoisePolicy.Goal(
        kind=args.kind,
        recordings=[str(path.expanduser().absolute()) for path in args.recordings],
        file=str(args.file.expanduser().absolute()) if args.file else "",
        seed=args.seed,
    )
    line.show(f"asking noise_trainer to train on {', '.join(goal.recordings)}", keep=True)
    try:
        result, called_off = asker.act(
            TrainNoisePolicy,
            "noise_policy/train",
            goal,
            "noise_trainer",
            lambda feedback: line.show(bar(feedback.progress, feedback.message)),
        )
    finally:
        line.end()
    if called_off:
        print("called off: nothing was trained, and what was live is live")
        return 128 + signal.SIGINT
    if not result.success:
        raise Refused(result.message)
    print(f"{result.message}\nnoise policy  {result.file}")
    if args.kind == "bc":
        return 0
    if args.go_live or _wanted(result.version):
        return _go_live(asker, result.file)
    print(f"it is not live; put it live with: frs live load {result.file}")
    return 0


def _go_live(asker: Asker, file: str) -> int:
    try:
        print(f"{load(asker, file)} is live")
    except (NobodyAnswers, Refused) as error:
        raise Refused(f"it is trained, but not live: {error}") from None
    return 0


def _wanted(live: str) -> bool:
    """Ask at the terminal whether to go live; no where there is none."""
    if not sys.stdin.isatty():
        return False
    instead = f"in place of {live}" if live else "where nobody steers"
    try:
        answer = input(f"put it live now, {instead}? [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "recordings", nargs="+", type=Path, metavar="RUNS", help="recorded episodes, or directories of any depth"
    )
    parser.add_argument("--go-live", action="store_true", help="put it live when it is trained, without asking")
    parser.add_argument("--file", type=Path, metavar="FILE", help="where it is to lie; default: beside the first RUNS")
    parser.add_argument("--kind", choices=("dsbc", "bc"), default="dsbc", help="bc can't go live (default: dsbc)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the training (default: 0)")


QUESTION = Question("train a noise policy on recorded episodes, then go live or not", _train, _arguments, _HELP)
