"""What the journal loses, and what it costs: kills at random moments, long recordings, the control step beside it.

The whole graph of `frs demo` runs, one process a node. For the kills the recorder dies by SIGKILL at a random moment of
a recording, which is then recovered; lost is the time between the kill and the newest message in the file. For the
long recording the policy drives the arm by itself; every control step's messages must be in the file.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from report import machine_line, table
from tqdm import tqdm

from frs_bringup.description import resolve
from frs_bringup.description_file import load
from frs_bringup.measures import is_step
from frs_bringup.middleware import clean_shared_memory, ros_domain, set_defaults
from frs_bringup.output import LogFiles
from frs_bringup.places import config_directory
from frs_bringup.starter import Starter, find_executable
from frs_steering.record.bag import PARTIAL
from frs_steering.record.reader import records, summarise
from frs_steering.record.recover import recover

LOSS_GOAL = 0.5  # s
COST_GOAL = 1.0  # ms, of the control step's p99
RECORDED = (1.0, 4.0)  # s, from a recording's start to the kill
PATIENCE = 60.0  # s


def main() -> int:
    """Measure what was asked for and print it; the exit status is 1 where a goal was missed."""
    parser = argparse.ArgumentParser(description="Measure what the journal loses and what it costs.")
    parser.add_argument("--kills", type=int, default=100, help="of the recorder (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=30.0, help="of one recording (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    args = parser.parse_args()
    described, met = machine_line(), True
    with tempfile.TemporaryDirectory(prefix="frs-journal-") as directory, _graph(Path(directory)) as (recorder, peers):
        if args.kills:
            met &= _print_kills(_kills(recorder, peers, Path(directory), args.kills, random.Random(args.seed)))
        if args.minutes:
            peers.activate()
            off = _without(peers, 60.0 * min(args.minutes, 5.0))
            with _recorder(recorder, peers):
                met &= _long(peers, Path(directory), args.minutes, off)
    print(f"\nMeasured on {described}.")
    return 0 if met else 1


@contextmanager
def _graph(directory: Path) -> Iterator[tuple[list[str], Any]]:
    """All of the graph but the recorder, whose command is given: who is killed again and again is not kept running."""
    graph = resolve(load("sim", config_directory()), {"record_directory": str(directory), "operator": "none"})
    set_defaults(os.environ, graph.environment)
    (recorder,) = (process for process in graph.processes if process.name == "recorder")
    others = [process for process in graph.processes if process is not recorder]
    with (
        ros_domain(os.environ, graph.namespace, of_its_own=True),
        closing(LogFiles([process.name for process in others], directory / "logs")) as logs,
    ):
        starter = Starter(others, logs)
        starter.start()
        try:
            # Imported here: rclpy takes the variables of the environment as they are now.
            from journal_peers import Peers

            with closing(Peers()) as peers:
                peers.wait(lambda: peers.ready, PATIENCE)
                yield [str(find_executable(recorder)), *recorder.ros_arguments()], peers
        finally:
            starter.stop()
            clean_shared_memory()


@contextmanager
def _recorder(command: list[str], peers: Any) -> Iterator[subprocess.Popen[bytes]]:
    before = peers.recorders()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        peers.wait(lambda: peers.recorders() - before, PATIENCE)
        yield process
    finally:
        process.terminate()
        process.wait()


def _kills(command: list[str], peers: Any, directory: Path, count: int, rng: random.Random) -> list[tuple[float, str]]:
    """For each kill the s that were lost, and what recovering said where it failed."""
    found = []
    for number in tqdm(range(count), unit="kill"):
        with _recorder(command, peers) as recorder:
            path = Path(peers.start(f"kill-{number:03d}", directory))
            peers.spin(rng.uniform(*RECORDED))
            killed = time.time_ns()
            recorder.kill()
            recorder.wait()
        partial = path if path.suffix == PARTIAL else path.with_name(path.name + PARTIAL)
        lost, problem = (killed - summarise(partial).end) * 1e-9, ""
        try:
            if (whole := recover(partial)).damage:
                problem = whole.damage[0]
        except (ValueError, OSError) as error:
            problem = str(error)
        found.append((lost, problem))
    return found


def _print_kills(found: list[tuple[float, str]]) -> bool:
    lost = np.array([seconds for seconds, _ in found])
    problems = [problem for _, problem in found if problem]
    met = bool(lost.max() <= LOSS_GOAL) and not problems
    print("## Kills of the recorder\n")
    print(table(
        ["s", "p50", "p99", "max", "n", "goal"],
        [["lost before a kill", f"{np.median(lost):.3f}", f"{np.percentile(lost, 99):.3f}", f"{lost.max():.3f}",
          f"{lost.size}", f"at most {LOSS_GOAL:g}: {'met' if lost.max() <= LOSS_GOAL else 'missed'}"]],
    ))  # fmt: skip
    print(f"\n{len(found) - len(problems)} of {len(found)} files were recovered whole.")
    for problem in problems:
        print(f"- {problem}")
    return met


def _without(peers: Any, seconds: float) -> np.ndarray:
    """How late control steps are where no recorder runs; a killed one still counts with DDS for a while."""
    peers.wait(lambda: not peers.recorders(), PATIENCE)
    return _lateness(peers, seconds)


def _long(peers: Any, directory: Path, minutes: float, off: np.ndarray) -> bool:
    path = Path(peers.start("long", directory))
    on = _lateness(peers, 60.0 * minutes)
    dropped_control, dropped_images = peers.stop()
    lost, steps, decisions = _lost(path.with_name(path.name.removesuffix(PARTIAL)))
    cost = 1e3 * (np.percentile(on, 99) - np.percentile(off, 99))
    said = "missed" if dropped_control else "met"
    rows = [
        ["control steps recorded", f"{steps}", ""],
        ["decisions recorded", f"{decisions}", ""],
        *([f"lost: {what}", f"{count}", f"0: {'missed' if count else 'met'}"] for what, count in lost.items()),
        ["control records lost, says the recorder", f"{dropped_control}", f"0: {said}"],
        ["images left out", f"{dropped_images}", ""],
        [f"control step late, p99 of {off.size}, no recorder [ms]", f"{1e3 * np.percentile(off, 99):.2f}", ""],
        [f"control step late, p99 of {on.size}, while it records [ms]", f"{1e3 * np.percentile(on, 99):.2f}",
         f"{COST_GOAL:g} more: {'met' if cost <= COST_GOAL else 'missed'}"],
    ]  # fmt: skip
    print(f"\n## {minutes:g} minutes of recording\n\n{table(['', 'found', 'goal'], rows)}")
    return not any(lost.values()) and not dropped_control and cost <= COST_GOAL


def _lateness(peers: Any, seconds: float) -> np.ndarray:
    peers.lateness.clear()
    end, bar = time.monotonic() + seconds, tqdm(total=round(seconds), unit="s")
    while (left := end - time.monotonic()) > 0:
        peers.spin(min(1.0, left))
        bar.update(1)
    bar.close()
    return np.array(peers.lateness)


def _lost(path: Path) -> tuple[dict[str, int], int, int]:
    """What is missing between the first and the last of its kind, the control steps, and the decisions.

    Control steps and chunks are numbered. A decision is made from one policy input, which has its stamp and seed, and
    is sent with one chunk, which has its number: of the decisions between the first and the last in the file, each
    must have both. (Those two may have had theirs before the recording began, or after it ended.)
    """
    ticks: dict[str, list[int]] = {"arm_state": [], "gate_report": []}
    numbers: dict[int, list[int]] = {}
    decisions: list[tuple[Any, Any]] = []
    chunks, inputs = set(), set()
    for record in records(path, [*ticks, "decision", "action_chunk", "policy_input"]):
        kind, message = record.topic.rpartition("/")[2], record.message
        if kind == "decision":
            numbers.setdefault(message.owner_epoch, []).append(message.chunk_id)
            decisions.append(((message.owner_epoch, message.chunk_id), _observation(message)))
        elif kind == "action_chunk":
            chunks.add((message.owner_epoch, message.chunk_id))
        elif kind == "policy_input":
            inputs.add(_observation(message))
        elif kind == "arm_state" or is_step(message):
            ticks[kind].append(message.tick)
    missing: Callable[[list[int]], int] = lambda found: max(found) - min(found) + 1 - len(set(found))  # noqa: E731
    inner = decisions[1:-1]
    lost = {
        "arm_state, by its control steps": missing(ticks["arm_state"]),
        "gate_report, by its control steps": missing(ticks["gate_report"]),
        "decision, by their chunks' numbers": sum(missing(found) for found in numbers.values()),
        "action_chunk, of the decisions": sum(chunk not in chunks for chunk, _ in inner),
        "policy_input, of the decisions": sum(seen not in inputs for _, seen in inner),
    }
    return lost, len(ticks["arm_state"]), len(decisions)


def _observation(message: Any) -> tuple[int, int, int]:
    """What a decision and its policy input have in common."""
    return message.header.stamp.sec, message.header.stamp.nanosec, message.seed


if __name__ == "__main__":
    sys.exit(main())
