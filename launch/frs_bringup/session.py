"""`frs session`: steered rollouts, a noise policy trained on them and put live, and what it is worth, in one graph."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from frs_bringup.description import Graph, Process, parse_assignments, resolve
from frs_bringup.description_file import load
from frs_bringup.errors import USAGE_ERROR, DescriptionError
from frs_bringup.middleware import NoDomainError, clean_shared_memory, prepare, ros_domain
from frs_bringup.output import LogFiles, ProgressLine, Warnings
from frs_bringup.places import config_directory
from frs_bringup.runs import Interrupted, RunError, checks, left_at_last, new_directory, shown
from frs_bringup.starter import Starter, StartError
from frs_bringup.terminal import ending_on_signals, kept_terminal

SCENES = 10_000
"""Scenes of one --seed; autonomous episodes take the first half, rollouts the second."""

MOST = SCENES // 2
"""Of episodes of a kind."""

ATTEMPTS = 3
"""So many times as many rollouts are tried as are to succeed, and FEWEST_ATTEMPTS at least."""

FEWEST_ATTEMPTS = 10

OWN = {"record_directory": "--out DIR chooses the place", "noise_policy": "it trains its own", "seed": "--seed N",
       "episodes": "--episodes N", "operator": "who steers is what it compares", "task": "--task NAME"}  # fmt: skip
"""Arguments of the configuration that a session sets itself, and what to use instead."""

_EXAMPLES = """\
examples:
  frs session --task tidy_sponge             ten successful rollouts, twenty episodes before and after; about 25 minutes
  frs session --task egg_in_basket --rollouts 20 --episodes 50
  frs session --task tidy_sponge --rollouts 2 --episodes 2   a quick try

One graph runs all the while: (1) the policy alone drives; (2) the scripted reasoner steers on other scenes, until so
many rollouts have succeeded; (3) noise_policy/train trains on these and puts the noise policy live; (4) it drives on
the scenes of (1). OUT/STAMP/ holds session.json, report.md, the noise policy, all recordings and logs/.
Exit status: 0 when it ran to its end, whatever it was worth, 1 when it could not, 2 after a wrong argument, 130 after
Ctrl-C. What was done until then is in session.json.
"""


@dataclass(frozen=True)
class Plan:
    """What to do: successful rollouts, episodes before and after, and the scenes that they are of."""

    task: str
    rollouts: int
    episodes: int
    first_scene: int
    seed: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.epilog = _EXAMPLES
    task = load("sim", config_directory()).arguments["task"]
    parser.add_argument("--task", metavar="NAME", default=task.default, help=f"one of: {', '.join(task.choices)}")
    parser.add_argument("--rollouts", type=int, default=10, metavar="N", help="that succeed (default: %(default)s)")
    parser.add_argument(
        "--episodes", type=int, default=20, metavar="N", help="before, and as many after (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the scenes and of the training (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, default=Path("runs"), metavar="DIR", help="default: runs")
    parser.add_argument(
        "assignments", nargs="*", metavar="name:=value", help="further arguments of the configuration sim"
    )


def run(args: argparse.Namespace) -> int:
    """Run the session and report on it; returns the exit status."""
    return left_at_last(lambda leaving: _run(args, leaving))


def _run(args: argparse.Namespace, leaving: ExitStack) -> int:
    directory = None
    try:
        plan, given = _plan(args), _given(args)
        graph, reasoner = _processes(given)  # a wrong argument leaves no directory behind
        with ros_domain(os.environ, graph.namespace, of_its_own=True):  # of its own, so that it meets no other graph
            directory = new_directory(args.out)
            _run_graph(plan, graph, reasoner, directory, leaving)
        return 0
    except DescriptionError as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE_ERROR
    except (Interrupted, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
        _tell_what_there_is(directory)
        return 128 + signal.SIGINT
    except (RunError, StartError, NoDomainError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        _tell_what_there_is(directory)
        return 1


def _plan(args: argparse.Namespace) -> Plan:
    from frs_sim.tasks import FIRST_HELD_OUT_SEED  # loads the simulator

    for name, low, high in (("rollouts", 1, MOST // ATTEMPTS), ("episodes", 1, MOST), ("seed", 0, 1_000_000_000)):
        value = getattr(args, name)
        if not low <= value <= high:
            raise DescriptionError(f"--{name} is {value}; it must be from {low} to {high}")
    return Plan(args.task, args.rollouts, args.episodes, FIRST_HELD_OUT_SEED + SCENES * args.seed, args.seed)


def _given(args: argparse.Namespace) -> dict[str, str]:
    given = parse_assignments(args.assignments)
    for name in given:
        if name in OWN:
            raise DescriptionError(f"argument {name!r} is set by the session itself; {OWN[name]}")
    return given | {"task": args.task}


def _processes(given: dict[str, str]) -> tuple[Graph, Process]:
    """The graph without anybody who steers, and the one who will."""
    configuration = load("sim", config_directory())
    graph = resolve(configuration, given | {"operator": "none"})
    steered = resolve(configuration, given | {"operator": "scripted"})
    return graph, next(process for process in steered.processes if process.name == "scripted_reasoner")


def _run_graph(plan: Plan, graph: Graph, reasoner: Process, directory: Path, leaving: ExitStack) -> None:
    """Start the graph, go through all phases, stop it."""
    names = [process.name for process in (*graph.processes, reasoner)]
    prepare(os.environ, graph.environment, len(names) + 1)
    line = ProgressLine()
    line.show(f"starting {len(names) - 1} nodes in ROS domain {os.environ['ROS_DOMAIN_ID']}", keep=True)
    with closing(LogFiles(names, directory / "logs")) as logs:
        nodes, steering = Starter(graph.processes, logs), Starter([reasoner], logs)
        with ending_on_signals(nodes.end) as signals, kept_terminal():
            nodes.start()
            try:
                check = checks(nodes, signals, beside=steering)
                _Session(plan, graph.namespace, directory, line, check, steering, leaving).run()
            finally:
                line.end()
                steering.stop()
                nodes.stop()
                if nodes.killed or steering.killed:
                    clean_shared_memory()


class _Session:
    """The phases, one after another; session.json is written after every episode."""

    def __init__(
        self,
        plan: Plan,
        namespace: str,
        directory: Path,
        line: ProgressLine,
        check: Callable[[], None],
        steering: Starter,
        leaving: ExitStack,
    ) -> None:
        self._plan, self._namespace, self._directory = plan, namespace, directory
        self._line, self._check, self._steering, self._leaving = line, check, steering, leaving

    def run(self) -> None:
        """Go through all phases and report."""
        # Imported here: the nodes load meanwhile, and rclpy takes the variables of the environment as they are now.
        from frs_bringup.episode_client import EpisodeClient, EpisodeError
        from frs_bringup.session_phases import run_episodes, train
        from frs_bringup.session_record import Phase, SessionRecord
        from frs_bringup.session_report import table, write_report
        from frs_bringup.summary import machine, versions
        from frs_steering.record.errors import JournalError

        plan, line, warnings = self._plan, self._line, Warnings(self._line)
        scenes = range(plan.first_scene, plan.first_scene + plan.episodes)
        attempts = max(FEWEST_ATTEMPTS, ATTEMPTS * plan.rollouts)
        others = range(plan.first_scene + MOST, plan.first_scene + MOST + attempts)

        def client_for(*operators: str) -> EpisodeClient:
            name = "_".join(["frs_session", *operators])
            client = EpisodeClient(self._check, operators, self._namespace, name)
            self._leaving.callback(client.close)
            client.wait_until_ready(lambda missing: line.show(f"waiting for {', '.join(missing)}"))
            return client

        def episodes(client: EpisodeClient, name: str, seeds: range, enough: Callable[[Phase], bool]) -> None:
            phase: Phase = getattr(record, name)
            run_episodes(
                client,
                phase,
                seeds,
                task=plan.task,
                directory=self._directory / name,
                enough=lambda: enough(phase),
                say=lambda text: line.show(f"{name}: {text}"),
                warn=warnings.show,
                kept=lambda: record.write(self._directory / "session.json"),
            )
            line.show(f"{name}: {phase.successes} of {len(phase.outcomes)} succeeded", keep=True)

        try:
            client = client_for()
            info = client.policy
            record = SessionRecord(
                plan.task,
                {"name": info.name, "weights_sha256": info.weights_sha256},
                {"rollouts": plan.rollouts, "episodes": plan.episodes},
                {"versions": versions(), "machine": machine()},
            )
            episodes(client, "before", scenes, lambda phase: False)
            self._steering.start()
            steered = client_for("scripted_reasoner")
            episodes(steered, "rollouts", others, lambda phase: phase.successes >= plan.rollouts)
            self._steering.stop()
            for warning in record.warnings():
                line.show(f"warning: {warning}", keep=True)
            file = self._directory / "noise_policy.safetensors"
            record.training = train(client, self._directory / "rollouts", file, plan.seed, line.show)
            line.show(f"training: {record.training.seconds:.1f} s; {record.training.version} is live", keep=True)
            episodes(client, "after", scenes, lambda phase: False)
        except (EpisodeError, JournalError) as error:
            raise RunError(str(error)) from error
        record.complete = True
        record.write(self._directory / "session.json")
        report = write_report(record, self._directory)
        line.end()
        print("\n" + "\n".join(table(record)) + "\n")
        for name, path in (("report", report), ("session", self._directory / "session.json"),
                           ("learnt", Path(record.training.file)), ("logs", self._directory / "logs")):  # fmt: skip
            print(f"{name:<9}{shown(path)}")


def _tell_what_there_is(directory: Path | None) -> None:
    """Where the things are that an unfinished session has left."""
    if directory is not None:
        print(f"what there is of it: {shown(directory)}", file=sys.stderr)
