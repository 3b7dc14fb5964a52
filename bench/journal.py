"""What the journal loses, and what it costs: kills at random moments, the loop with and without it, a long recording.

The whole graph of `frs demo` runs, one process a node, and the policy drives the arm by itself all the while. For the
kills the recorder dies by SIGKILL at a random moment of a recording, which is then recovered; lost is the time between
the kill and the newest message in the file. For the cost, blocks of some minutes with a recording and without a
recorder alternate, in pairs of changing order, so that what drifts meanwhile is in both. In the long recording every
control step's messages must be in the file.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from report import machine_line, table
from tqdm import tqdm

from frs_bringup.description import resolve
from frs_bringup.description_file import load
from frs_bringup.middleware import clean_shared_memory, ros_domain, set_defaults
from frs_bringup.output import LogFiles
from frs_bringup.places import config_directory
from frs_bringup.starter import Starter, find_executable
from frs_steering.record.bag import PARTIAL
from frs_steering.record.reader import records, summarise
from frs_steering.record.recover import recover
from frs_steering.record.steps import is_step

LOSS_GOAL = 0.5  # s
COST_GOAL = 1.0  # ms, of the control step's p99
RECORDED = (0.5, 6.0)  # s, from a recording's start to the kill
PATIENCE = 60.0  # s


def main() -> int:
    """Measure what was asked for and print it; the exit status is 1 where a goal was missed."""
    parser = argparse.ArgumentParser(description="Measure what the journal loses and what it costs.")
    parser.add_argument("--kills", type=int, default=100, help="of the recorder (default: %(default)s)")
    parser.add_argument(
        "--pairs", type=int, default=6, help="of blocks, one with and one without (default: %(default)s)"
    )
    parser.add_argument("--block", type=float, default=2.0, help="minutes of each (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=30.0, help="of one recording (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    args = parser.parse_args()
    described, met = machine_line(), True
    with tempfile.TemporaryDirectory(prefix="frs-journal-") as directory, _graph(Path(directory)) as (recorder, peers):
        peers.activate()
        peers.wait(lambda: bool(peers.totals), PATIENCE)  # the policy drives
        if args.kills:
            met &= _print_kills(_kills(recorder, peers, Path(directory), args.kills, random.Random(args.seed)))
        if args.pairs:
            met &= print_cost(_cost(recorder, peers, Path(directory), args.pairs, args.block))
        if args.minutes:
            with _recorder(recorder, peers):
                met &= _long(peers, Path(directory), args.minutes)
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


@dataclass(frozen=True)
class Kill:
    """What a kill cost: the s that were lost, the decisions that were kept, and what recovering said if it failed."""

    lost: float
    decisions: int
    problem: str


def _kills(command: list[str], peers: Any, directory: Path, count: int, rng: random.Random) -> list[Kill]:
    kills = []
    for number in tqdm(range(count), unit="kill"):
        with _recorder(command, peers) as recorder:
            path = Path(peers.start(f"kill-{number:03d}", directory))
            peers.spin(rng.uniform(*RECORDED))
            killed = time.time_ns()
            recorder.kill()
            recorder.wait()
        partial = path if path.suffix == PARTIAL else path.with_name(path.name + PARTIAL)
        found, problem = summarise(partial), ""
        try:
            if (whole := recover(partial)).damage:
                problem = whole.damage[0]
        except (ValueError, OSError) as error:
            problem = str(error)
        kills.append(Kill((killed - found.end) * 1e-9, found.count("decision"), problem))
    return kills


def _print_kills(found: list[Kill]) -> bool:
    lost = np.array([kill.lost for kill in found])
    problems = [kill.problem for kill in found if kill.problem]
    met = bool(lost.max() <= LOSS_GOAL) and not problems
    print("## Kills of the recorder\n")
    print(table(
        ["s", "p50", "p99", "max", "n", "goal"],
        [["lost before a kill", f"{np.median(lost):.3f}", f"{np.percentile(lost, 99):.3f}", f"{lost.max():.3f}",
          f"{lost.size}", f"at most {LOSS_GOAL:g}: {'met' if lost.max() <= LOSS_GOAL else 'missed'}"]],
    ))  # fmt: skip
    print(f"\n{len(found) - len(problems)} of {len(found)} files were recovered whole, with "
          f"{sum(kill.decisions for kill in found)} decisions.")  # fmt: skip
    for problem in problems:
        print(f"- {problem}")
    return met


@dataclass(frozen=True)
class Block:
    """What was heard in some minutes: how late the control steps were and how long the decisions took, s."""

    lateness: np.ndarray
    totals: np.ndarray


def _cost(command: list[str], peers: Any, directory: Path, pairs: int, minutes: float) -> list[tuple[Block, Block]]:
    """Pairs of blocks, without a recorder and with a recording; every other pair begins with the recording."""
    found = []
    for number in range(pairs):
        blocks: dict[bool, Block] = {}
        for recording in (False, True) if number % 2 == 0 else (True, False):
            # One that ended may still count with DDS for a while.
            peers.wait(lambda: not peers.recorders(), PATIENCE)
            if recording:
                with _recorder(command, peers):
                    peers.start(f"block-{number}", directory)
                    blocks[recording] = _heard(peers, 60.0 * minutes)
                    peers.stop()
            else:
                blocks[recording] = _heard(peers, 60.0 * minutes)
        found.append((blocks[False], blocks[True]))
    return found


def print_cost(pairs: list[tuple[Block, Block]]) -> bool:
    """Print what the recording costs; returns whether its goal is met."""
    rows, cost = [], 0.0
    for name, goal in (("lateness", COST_GOAL), ("totals", None)):
        each = [[1e3 * getattr(block, name) for block in pair] for pair in pairs]  # ms
        off, on = (np.concatenate(blocks) for blocks in zip(*each, strict=True))
        p99 = [np.percentile(two, 99) - np.percentile(one, 99) for one, two in each]
        more = float(np.percentile(on, 99) - np.percentile(off, 99))
        said = "" if goal is None else f"at most {goal:g}: {'met' if more <= goal else 'missed'}"
        cost = more if goal is not None else cost
        rows.append([
            "control step late" if name == "lateness" else "decision, all stages",
            f"{np.median(off):.2f}, {np.percentile(off, 99):.2f} ({off.size})",
            f"{np.median(on):.2f}, {np.percentile(on, 99):.2f} ({on.size})",
            f"{more:+.2f} ({min(p99):+.2f} .. {max(p99):+.2f})", said,
        ])  # fmt: skip
    heads = ["ms: p50, p99 (n)", "no recorder", "while it records", "p99 more (of the pairs)", "goal"]
    print(f"\n## {len(pairs)} pairs of blocks, with a recording and without a recorder\n\n{table(heads, rows)}")
    return cost <= COST_GOAL


def _long(peers: Any, directory: Path, minutes: float) -> bool:
    path = Path(peers.start("long", directory))
    on = _heard(peers, 60.0 * minutes).lateness
    dropped_control, dropped_images = peers.stop()
    lost, steps, decisions = _lost(path.with_name(path.name.removesuffix(PARTIAL)))
    said = "missed" if dropped_control else "met"
    rows = [
        ["control steps recorded", f"{steps}", ""],
        ["decisions recorded", f"{decisions}", ""],
        *([f"lost: {what}", f"{count}", f"0: {'missed' if count else 'met'}"] for what, count in lost.items()),
        ["control records lost, says the recorder", f"{dropped_control}", f"0: {said}"],
        ["images left out", f"{dropped_images}", ""],
        [f"control step late, p99 of {on.size} [ms]", f"{1e3 * np.percentile(on, 99):.2f}", ""],
    ]  # fmt: skip
    print(f"\n## {minutes:g} minutes of recording\n\n{table(['', 'found', 'goal'], rows)}")
    return not any(lost.values()) and not dropped_control


def _heard(peers: Any, seconds: float) -> Block:
    peers.lateness.clear()
    peers.totals.clear()
    end, bar = time.monotonic() + seconds, tqdm(total=round(seconds), unit="s")
    while (left := end - time.monotonic()) > 0:
        peers.spin(min(1.0, left))
        bar.update(1)
    bar.close()
    return Block(np.array(peers.lateness), np.array(peers.totals))


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
