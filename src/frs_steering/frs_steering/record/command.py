"""`frs record`: look at recordings, check and label them, and mend what a killed recorder left."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

from frs_steering.record.bag import PARTIAL
from frs_steering.record.check import check
from frs_steering.record.configuration import Configuration
from frs_steering.record.disk import being_written
from frs_steering.record.errors import JournalError
from frs_steering.record.find import find_episodes
from frs_steering.record.label import VERDICTS, label
from frs_steering.record.reader import Summary, summarise
from frs_steering.record.recover import recover

DISCARDED = "discarded"
"""Label of an episode that nobody wants to learn from."""

EXAMPLES = """\
examples:
  frs record ls runs             one line an episode: how it ended, of what, how long, how large
  frs record info runs/egg-003   all about one: topics, losses, configuration, damage
  frs record check runs          is everything there, and do the stored noises make the stored chunks again?
  frs record recover runs        make whole files of those whose recorder was killed; of FILE.mcap, if it is damaged
  frs record label runs/egg-003 failed --note "slipped"      what became of one, said afterwards
  frs record export runs --out dataset     a LeRobotDataset (v3.0) of all with a label, but those discarded

PATH is a recording (.mcap, .mcap.partial), or a folder of recordings of any depth. A file that can't be read costs
itself and a line; the others are served. The exit status is 1 where a file had a problem, 2 where there is none.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLES
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    for name, summary in (
        ("ls", "list episodes, a line each"),
        ("info", "say all about episodes"),
        ("check", "check that episodes are complete, and that their decisions can be made again"),
        ("recover", "make whole files of what killed recorders left"),
        ("export", "write episodes as a dataset that LeRobot opens"),
        ("label", "say afterwards what became of an episode"),
    ):
        sub = what.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if name == "label":
            sub.add_argument("path", type=Path, metavar="PATH", help="a recording, or its folder")
            sub.add_argument("verdict", choices=VERDICTS)
            sub.add_argument("--note", help="free text (default: what is there already)")
            sub.add_argument("--operator", metavar="NAME", help="who says so (default: who is there already)")
            continue
        sub.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="recordings, or folders of them")
        if name == "info":
            sub.add_argument("--config", action="store_true", help="print all parameters of all nodes as well")
        if name == "check":
            sub.add_argument("--cameras", default="exterior,wrist", help="that must be there (default: %(default)s)")
            sub.add_argument("--policy", default="embedded", help="that made the decisions (default: %(default)s)")
            sub.add_argument("--weights", type=Path, default=None, help="of the policy (default: those it comes with)")
        if name == "export":
            sub.add_argument("--format", choices=("lerobot",), default="lerobot", help="(default: %(default)s, v3.0)")
            sub.add_argument("--out", type=Path, required=True, help="a new folder for the dataset")


def run(args: argparse.Namespace) -> int:
    """Do it, file by file."""
    if args.what == "label":
        return _give_label(args)
    try:
        files = find_episodes(args.paths, leftovers=args.what == "recover")
        if args.what == "export":
            return _export(files, args.out)
        act = _action(args)
        if args.what == "recover":
            files = [path for path in files if path.suffix == PARTIAL or path in args.paths]
            if not files:
                print(
                    "nothing to recover: no *.mcap.partial there; a whole one that is damaged is mended if it is named"
                )
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    well = True
    for path in files:
        try:
            well &= act(path)
        except BrokenPipeError:  # whoever read along has seen enough, as `head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except (JournalError, OSError) as error:
            well = False
            print(f"error: {error}", file=sys.stderr)
    return 0 if well else 1


def _action(args: argparse.Namespace) -> Callable[[Path], bool]:
    if args.what == "check":
        return _checker(args)
    if args.what == "info":
        return lambda path: _tell(path, in_full=args.config)
    return {"ls": _list, "recover": _recover}[args.what]


def _label(summary: Summary) -> str:
    if summary.path.suffix == PARTIAL:
        return "recording" if being_written(summary.path) else "cut short"
    return summary.result.get("label") or "unlabelled"


def _is_damaged(summary: Summary) -> bool:
    # A partial file's end is missing because its recorder died, which its label says.
    return bool(summary.damage) and summary.path.suffix != PARTIAL


def _list(path: Path) -> bool:
    summary = summarise(path)
    damaged = "  DAMAGED" if _is_damaged(summary) else ""
    print(
        f"{_label(summary):10}  {_of_what(summary):20}  {summary.duration:6.1f} s  "
        f"{summary.count('decision'):4} decisions  {summary.size / 1e6:7.1f} MB  {path}{damaged}"
    )
    return not damaged


def _of_what(summary: Summary) -> str:
    return summary.episode.get("task") or summary.episode.get("instruction") or "?"


def _tell(path: Path, *, in_full: bool) -> bool:
    summary = summarise(path)
    episode, result = summary.episode, summary.result
    print(f"{path}: {summary.size / 1e6:.1f} MB, {summary.messages} messages in {summary.duration:.1f} s")
    print(f"  episode {episode.get('episode_id', '?')!r}, task {episode.get('task', '?')!r}, "
          f"seed {episode.get('seed', '?')}, told {episode.get('instruction', '?')!r}")  # fmt: skip
    note = f" ({result['note']})" if result.get("note") else ""
    note += f", says {result['operator']}" if result.get("operator") else ""
    print(f"  {_label(summary)}{note}; lost: {result.get('dropped_control', '?')} control records, "
          f"{result.get('dropped_images', '?')} images")  # fmt: skip
    _tell_configuration(summary.configuration, in_full=in_full)
    for topic in summary.topics:
        rate = topic.count / summary.duration if summary.duration > 0 else 0.0
        print(f"  {topic.count:7}  {rate:6.1f} Hz  {topic.name}  [{topic.type}]")
    for line in summary.damage:
        print(f"  damage: {line}")
    return not _is_damaged(summary)


def _tell_configuration(found: Configuration, *, in_full: bool) -> None:
    if not found.versions and not found.parameters:
        print("  configuration: none was written")
        return
    count = sum(map(len, found.parameters.values()))
    silent = "" if found.silent is not None else "; it ends before all were asked"
    if found.silent:
        silent = f"; none of {len(found.silent)}: {', '.join(found.silent)}"
    ours = ", ".join(f"{name} {version}" for name, version in found.versions.items() if name.startswith("frs_"))
    print(f"  configuration: {count} parameters of {len(found.parameters)} nodes{silent}")
    print(f"  versions: {ours}; {found.versions.get('distribution', '?')}, Python {found.versions.get('python', '?')}")
    if in_full:
        for node, parameters in found.parameters.items():
            for name, value in parameters.items():
                print(f"    {node} {name}: {value}")
        for node, why in (found.silent or {}).items():
            print(f"    {node}: {why}")


def _checker(args: argparse.Namespace) -> Callable[[Path], bool]:
    import torch  # here, so that the rest of the command starts without it

    from frs_steering.policies import load_policy
    from frs_steering.record.replay import replay

    torch.set_num_threads(1)  # more of them wait for each other where the machine is busy
    policy, cameras = load_policy(args.policy, args.weights), args.cameras.split(",")

    def examine(path: Path) -> bool:
        report, made = check(path, cameras), replay(path, policy)
        problems = [*report.problems, *made.problems]
        right = made.again - len(made.problems)
        over = "".join(f"; {count} passed over: made {reason}" for reason, count in sorted(made.passed_over.items()))
        print(f"{'problems' if problems else 'complete'}: {path}: {right} of {made.again} decisions came out again, "
              f"within {made.worst:.1g}{over}")  # fmt: skip
        for line in problems:
            print(f"  {line}")
        return not problems

    return examine


def _recover(path: Path) -> bool:
    summary = recover(path)
    print(f"{summary.path}: {summary.messages} messages, {summary.duration:.1f} s; {summary.result.get('note', '')}")
    return True


def _give_label(args: argparse.Namespace) -> int:
    try:
        summary = label(args.path, args.verdict, args.note, args.operator)
    except (JournalError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    note = f" ({summary.result['note']})" if summary.result.get("note") else ""
    print(f"{summary.path}: {summary.result['label']}{note}")
    return 0


def _outcome(path: Path) -> str:
    """Label of an episode that has one; JournalError where nobody knows yet how it ended, which is no failure."""
    label = _label(summarise(path))
    if label == "recording":
        raise JournalError(f"{path} is being recorded")
    if label == "cut short":
        raise JournalError(f"{path} was cut short; `frs record recover` and `frs record label` make an episode of it")
    if label == "unlabelled":
        raise JournalError(f"{path} has no label; `frs record label` gives it one")
    return label


def _export(files: Sequence[Path], out: Path) -> int:
    from frs_steering.record.lerobot import LeRobotWriter  # here, for DuckDB and ffmpeg take time to load

    writer, frames, well = LeRobotWriter(out), 0, True
    for path in tqdm(files, unit="episode", disable=None):
        try:
            if _outcome(path) != DISCARDED:
                frames += writer.add(path)
        except (JournalError, OSError) as error:
            well = False
            tqdm.write(f"error: left out: {error}", file=sys.stderr)
    writer.close()
    print(f"{writer.episodes} episodes, {frames} frames of 1/15 s in {out}")
    return 0 if well else 1
