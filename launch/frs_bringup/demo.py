"""`frs demo`: one steered episode in the simulated cell, from an empty machine to a measured summary."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from frs_bringup.description import Graph, parse_assignments, resolve
from frs_bringup.description_file import load
from frs_bringup.errors import USAGE_ERROR, DescriptionError
from frs_bringup.middleware import NoDomainError, clean_shared_memory, prepare, ros_domain
from frs_bringup.output import LogFiles, ProgressLine, Warnings
from frs_bringup.places import config_directory
from frs_bringup.runs import Interrupted, RunError, checks, left_at_last, new_directory, shown
from frs_bringup.starter import Starter, StartError
from frs_bringup.terminal import ending_on_signals, kept_terminal

_EXAMPLES = """\
examples:
  frs demo                                   the scripted reasoner steers, with directions that a person could give
  frs demo --operator keyboard               you steer, with the keys
  frs demo --operator none                   the policy alone, to compare with
  frs demo --task stack_cups --seed 7        another task and scene

It leaves OUT/STAMP/ with summary.json, episode.mp4, the recorded bag, and logs/.
It runs in a ROS domain of its own, which it prints, unless ROS_DOMAIN_ID names one.
Exit status: 0 when the task succeeded, 1 when it did not or could not be run, 2 after a wrong argument, 130 after
Ctrl-C.
"""


@dataclass(frozen=True)
class Paths:
    """Where a run leaves its things."""

    directory: Path

    @property
    def summary(self) -> Path:
        """The measured numbers."""
        return self.directory / "summary.json"

    @property
    def video(self) -> Path:
        """Both cameras, with the direction drawn in."""
        return self.directory / "episode.mp4"

    @property
    def logs(self) -> Path:
        """What the nodes said, a file each."""
        return self.directory / "logs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.epilog = _EXAMPLES
    tasks = load("sim", config_directory()).arguments["task"].choices
    parser.add_argument("--task", metavar="NAME", help=f"one of: {', '.join(tasks)}")
    parser.add_argument("--seed", type=int, metavar="N", help="of the scene; the same seed gives the same scene")
    parser.add_argument("--operator", choices=("scripted", "keyboard", "none"), help="who steers (default: scripted)")
    parser.add_argument("--out", type=Path, default=Path("runs"), metavar="DIR", help="default: runs")
    parser.add_argument(
        "assignments", nargs="*", metavar="name:=value", help="further arguments of the configuration sim"
    )


def run(args: argparse.Namespace) -> int:
    """Run one episode and report on it; returns the exit status."""
    return left_at_last(lambda leaving: _run(args, leaving))


def _run(args: argparse.Namespace, leaving: ExitStack) -> int:
    paths = None
    try:
        configuration, given = load("sim", config_directory()), _given(args)
        graph = resolve(configuration, given)  # a wrong argument leaves no directory behind
        if any(process.terminal for process in graph.processes) and not sys.stdin.isatty():
            raise DescriptionError("--operator keyboard needs a terminal; without one use --operator scripted")
        with ros_domain(os.environ, graph.namespace, of_its_own=True):  # of its own, so that two demos never meet
            paths = Paths(new_directory(args.out))
            graph = resolve(configuration, given | {"record_directory": str(paths.directory)})
            result = _run_graph(graph, paths, leaving)
        return _report(result, paths)
    except DescriptionError as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE_ERROR
    except (Interrupted, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
        _tell_what_there_is(paths)
        return 128 + signal.SIGINT
    except (RunError, StartError, NoDomainError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        _tell_what_there_is(paths)
        return 1


def _given(args: argparse.Namespace) -> dict[str, str]:
    """The configuration's arguments that the user gave, by either way of writing them."""
    given = parse_assignments(args.assignments)
    if "record_directory" in given:
        raise DescriptionError("argument 'record_directory' is set by the demo itself; --out DIR chooses the place")
    for name in ("task", "seed", "operator"):
        value = getattr(args, name)
        if value is not None and name in given:
            raise DescriptionError(f"{name} is given twice: --{name} {value} and {name}:={given[name]}")
        if value is not None:
            given[name] = str(value)
    return given


def _tell_what_there_is(paths: Paths | None) -> None:
    """Where the things are that a run without a report has left."""
    if paths is None:
        return
    found = [("logs", paths.logs), *(("bag", bag.parent) for bag in sorted(paths.directory.glob("*/*.mcap")))]
    found += [("bag", bag) for bag in sorted(paths.directory.glob("*/*.mcap.partial"))]
    print("what there is of it:", file=sys.stderr)
    for name, path in found:
        print(f"{name:<9}{shown(path)}", file=sys.stderr)


def _run_graph(graph: Graph, paths: Paths, leaving: ExitStack) -> Any:
    """Start the graph, run the episode, stop the graph; returns the action's result."""
    names = [process.name for process in graph.processes]
    prepare(os.environ, graph.environment, len(names) + 1)
    line = ProgressLine(silent=any(process.terminal for process in graph.processes))
    line.show(f"starting {len(names)} nodes in ROS domain {os.environ['ROS_DOMAIN_ID']}", keep=True)
    with closing(LogFiles(names, paths.logs)) as logs:
        starter = Starter(graph.processes, logs)
        with ending_on_signals(starter.end) as signals, kept_terminal():
            starter.start()
            try:
                return _run_episode(graph, paths, checks(starter, signals), line, leaving)
            finally:
                line.end()
                starter.stop()
                if starter.killed:
                    clean_shared_memory()


def _run_episode(graph: Graph, paths: Paths, check: Callable[[], None], line: ProgressLine, leaving: ExitStack) -> Any:
    # Imported here: the nodes load meanwhile, and rclpy takes the variables of the environment as they are now.
    from frs_msgs.action import RunEpisode

    from frs_bringup.episode_client import EpisodeClient, EpisodeError, Progress

    warnings = Warnings(line)

    def follow(now: Progress) -> None:
        warnings.show(now.amiss)
        line.show(f"step {now.step} of at most {now.step_limit}, {now.chunks} chunks, {now.message}")

    operators = tuple(p.name for p in graph.processes if p.name in ("scripted_reasoner", "teleop"))
    begun = time.monotonic()
    client = EpisodeClient(check, operators, graph.namespace)
    leaving.callback(client.close)
    try:
        client.wait_until_ready(lambda missing: line.show(f"waiting for {', '.join(missing)}"))
        line.show(f"ready after {time.monotonic() - begun:.1f} s", keep=True)
        goal = RunEpisode.Goal(
            task=graph.values["task"], seed=graph.values["seed"], record_directory=str(paths.directory)
        )
        return client.run(goal, follow)
    except EpisodeError as error:
        raise RunError(str(error)) from error


def _report(result: Any, paths: Paths) -> int:
    """Measure, draw and print the episode; returns the exit status."""
    # Imported here: reading bags and drawing videos is not needed before.
    from frs_bringup.summary import SummaryError, summarise_episode, table
    from frs_steering.record.errors import JournalError
    from frs_steering.record.overlay import CameraView
    from frs_steering.record.video import episode_video

    if not result.bag:
        raise RunError(f"no episode was recorded: {result.message}")
    bag = Path(result.bag).parent
    try:
        summary = summarise_episode(bag)
        paths.summary.write_text(json.dumps(summary, indent=2) + "\n")
        print(f"\n{table(summary)}\n")
        from frs_sim.scene import EXTERIOR

        episode_video(bag, paths.video, CameraView(EXTERIOR.position, EXTERIOR.target, EXTERIOR.fovy))
    except (JournalError, SummaryError) as error:
        raise RunError(str(error)) from error
    for name, path in (("summary", paths.summary), ("video", paths.video), ("bag", bag), ("logs", paths.logs)):
        print(f"{name:<9}{shown(path)}")
    if not summary["success"]:
        print(f"error: the task did not succeed: {result.message}", file=sys.stderr)
    return 0 if summary["success"] else 1
