"""What the stack itself costs: the time of a decision that is not the policy's, and the control step's punctuality.

Runs episodes through the same processes as `frs demo` and takes every figure from their recordings. The overhead of
a decision is the time from the control step that asks for it until its chunk is accepted by the arm's controller,
less the policy's network time (encode, reverse, denoise): what is left is waiting for an observation, transport,
conversions, and the gate's judgement of the chunk.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from report import machine_line, table

from frs_bringup.description import Graph, resolve
from frs_bringup.description_file import load
from frs_bringup.middleware import claim_domain, clean_shared_memory, prepare
from frs_bringup.output import LogFiles
from frs_bringup.places import config_directory
from frs_bringup.starter import Starter
from frs_bringup.summary import summarise_episode
from frs_steering.record.reader import records, same_topic
from frs_steering.record.steps import is_step
from frs_steering.record.topics import image_topic

OVERHEAD_GOAL = 15.0  # ms, p99
LATENESS_GOAL = 5.0  # ms, p99
CAMERAS = ("exterior", "wrist")
NANO = 1e-9


@dataclass
class Measured:
    """What the episodes said. Times in s; rates in Hz, one an episode and camera; the rest one an episode."""

    overhead: list[float] = field(default_factory=list)
    before: list[float] = field(default_factory=list)
    admission: list[float] = field(default_factory=list)
    network: list[float] = field(default_factory=list)
    lateness: list[float] = field(default_factory=list)
    gate: list[float] = field(default_factory=list)
    camera_rate: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    sim_speed: list[float] = field(default_factory=list)
    fresh_share: list[float] = field(default_factory=list)
    successes: list[bool] = field(default_factory=list)
    realtime: bool = False
    """Whether the nodes had the right to real-time priority (docs/hardware.md)."""
    lost: int = 0
    """Chunks whose acceptance is not in the recording: rejected ones, and one that the episode's end cut off."""


def main() -> int:
    """Run the episodes and print the tables; the exit status is 0 whether or not the goals are met."""
    parser = argparse.ArgumentParser(description="Measure the stack's own overhead on episodes of the demo's task.")
    parser.add_argument("--episodes", type=int, default=5, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first scene; each further one adds 1")
    parser.add_argument("--keep", type=Path, help="directory for the recordings (default: they are deleted)")
    args = parser.parse_args()
    if args.episodes < 1:
        parser.error(f"--episodes is {args.episodes}; it must be at least 1")
    described = machine_line()
    measured = Measured()
    with _directory(args.keep) as directory:
        for bag in episodes(args.episodes, args.seed, directory, measured):
            add(measured, bag)
    print(f"## Overhead of a decision, and the control step's punctuality\n\n{stage_table(measured)}\n")
    right = "with" if measured.realtime else "without the right to"
    print(f"{episode_table(measured)}\n\nMeasured {right} real-time priority, on {described}.")
    if measured.lost:
        print(f"{measured.lost} chunks were not accepted, or not before the episode's end.")
    return 0


@contextmanager
def _directory(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="frs-overhead-") as made:
        yield Path(made)


def episodes(count: int, seed: int, directory: Path, measured: Measured) -> Iterator[Path]:
    """Start the graph as `frs demo` does, run episodes, and yield each one's recording."""
    graph = resolve(load("sim", config_directory()), {"record_directory": str(directory)})
    lock = None
    if "ROS_DOMAIN_ID" not in os.environ:
        domain, lock = claim_domain()
        os.environ["ROS_DOMAIN_ID"] = str(domain)
    names = [process.name for process in graph.processes]
    prepare(os.environ, graph.environment, len(names) + 1)
    with closing(LogFiles(names, directory / "logs")) as logs:
        starter = Starter(graph.processes, logs)
        starter.start()
        try:
            for bag in _run(graph, starter, count, seed, directory):
                measured.realtime = os.sched_getscheduler(starter.pid("flow_steering") or 0) == os.SCHED_FIFO
                yield bag
        finally:
            starter.stop()
            if starter.killed:
                clean_shared_memory()
            if lock:
                lock.close()


def _run(graph: Graph, starter: Starter, count: int, seed: int, directory: Path) -> Iterator[Path]:
    # Imported here: rclpy takes the variables of the environment as they are now.
    from frs_msgs.action import RunEpisode

    from frs_bringup.episode_client import EpisodeClient

    def check() -> None:
        if starter.failure:
            raise SystemExit(f"error: {starter.failure}")

    with closing(EpisodeClient(check, ("scripted_reasoner",))) as client:
        client.wait_until_ready(lambda _: None)
        for number in range(count):
            goal = RunEpisode.Goal(task=graph.values["task"], seed=seed + number, record_directory=str(directory))
            result = client.run(goal, lambda _: None)
            print(f"episode {number + 1} of {count}: {result.message}", file=sys.stderr)
            if not result.bag:
                raise SystemExit(f"error: no episode was recorded: {result.message}")
            yield Path(result.bag).parent


def add(measured: Measured, bag: Path) -> None:
    """Add the figures of one recording."""
    summary = summarise_episode(bag)
    measured.successes.append(summary["success"])
    measured.fresh_share.append(summary["ticks"]["fresh_share"])
    if summary["sim_speed"] is not None:
        measured.sim_speed.append(summary["sim_speed"])
    images: dict[str, list[int]] = {camera: [] for camera in CAMERAS}
    published: dict[int, int] = {}
    accepted: dict[int, int] = {}
    decisions: list[Any] = []
    topics = {image_topic(camera): camera for camera in CAMERAS}
    for record in records(bag, [*topics, "action_chunk", "gate_report", "decision"]):
        name, message = record.topic, record.message
        if same_topic(name, "decision"):
            decisions.append(message)
        elif same_topic(name, "action_chunk"):
            published[message.chunk_id] = record.publish_time
        elif same_topic(name, "gate_report"):
            if is_step(message):
                measured.lateness.append(message.tick_lateness)
                measured.gate.append(message.gate_duration)
            elif message.verdict == 0:  # GateReport.ACCEPTED
                accepted[message.chunk_id] = record.publish_time
        else:
            camera = next(camera for topic, camera in topics.items() if same_topic(name, topic))
            images[camera].append(record.publish_time)
    for camera, times in images.items():
        measured.camera_rate[camera].append((len(times) - 1) / ((times[-1] - times[0]) * NANO))
    for decision in decisions:
        _add_decision(measured, decision, published, accepted)


def _add_decision(measured: Measured, decision: Any, published: dict[int, int], accepted: dict[int, int]) -> None:
    # Chunks are counted from 1 in each epoch, and no claim is lost here, so the number alone tells them apart.
    chunk = decision.chunk_id
    if chunk not in published or chunk not in accepted:
        measured.lost += 1
        return
    times = decision.timings
    network = times.encode + times.reverse + times.denoise
    admission = (accepted[chunk] - published[chunk]) * NANO  # both stamped by the senders, by the wall clock
    measured.network.append(network)
    measured.before.append(times.total - network)
    measured.admission.append(admission)
    measured.overhead.append(times.total - network + admission)


def stage_table(measured: Measured) -> str:
    """Quantities with a distribution, in ms."""
    rows = [
        _stage("overhead of a decision", measured.overhead, OVERHEAD_GOAL),
        _stage("- until its chunk is published", measured.before),
        _stage("- until the chunk is accepted", measured.admission),
        _stage("the policy's network, not in it", measured.network),
        _stage("control step off by", measured.lateness, LATENESS_GOAL),
        _stage("gate of a control step", measured.gate),
    ]
    return table(["ms", "p50", "p99", "max", "n", "goal"], rows)


def _stage(name: str, seconds: list[float], goal: float | None = None) -> list[str]:
    if not seconds:
        return [name, "-", "-", "-", "0", ""]
    taken = np.array(seconds) * 1e3
    p50, p99 = np.percentile(taken, (50, 99))
    verdict = "" if goal is None else f"p99 at most {goal:g}: {'met' if p99 <= goal else 'missed'}"
    return [name, f"{p50:.2f}", f"{p99:.2f}", f"{taken.max():.2f}", f"{taken.size}", verdict]


def episode_table(measured: Measured) -> str:
    """Quantities of whole episodes: the mean, and the worst one."""
    rows = [
        *(_worst(f"camera {name} [Hz], recorded", measured.camera_rate[name], "{:.2f}") for name in CAMERAS),
        _worst("simulation's speed, of real time", measured.sim_speed, "{:.3f}"),
        _worst("control steps with a fresh chunk", [100 * share for share in measured.fresh_share], "{:.1f} %"),
        _worst("task succeeded", [100.0 * success for success in measured.successes], "{:.0f} %"),
    ]
    return table(["in an episode", "mean", "least", "n"], rows)


def _worst(name: str, values: Iterable[float], form: str) -> list[str]:
    given = np.array(list(values), float)
    if not given.size:
        return [name, "-", "-", "0"]
    return [name, form.format(given.mean()), form.format(given.min()), f"{given.size}"]


if __name__ == "__main__":
    sys.exit(main())
