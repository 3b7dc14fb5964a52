"""The configuration `sim` as real processes, started as `frs up` and `frs demo` start it, and a witness among them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import rclpy
import yaml
from frs_msgs.action import RunEpisode
from frs_msgs.msg import ActionChunk, ArmState, Decision, GateReport, SimTruth
from joint_motion import Heard, rest_after, speed
from rcl_interfaces.srv import GetParameters
from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.task import Future
from sensor_msgs.msg import JointState
from sim_clock import SimClock

from frs_bringup.description import Process, resolve
from frs_bringup.description_file import load
from frs_bringup.episode_client import EpisodeClient
from frs_bringup.middleware import clean_shared_memory
from frs_bringup.output import LogFiles
from frs_bringup.places import config_directory
from frs_bringup.starter import Starter
from frs_steering.nodes.leaving import leave
from frs_steering.nodes.qos import EVENT, LATCHED

PATIENCE = 60.0  # s; two busy cores make the start of a node slow
REPEAT = 3.0  # s without an answer after which a service is asked again
MOVING = 0.2  # rad/s, of the fastest joint; a coarse direction at full speed is about twice that
_TAIL = 8  # lines of each node's log that a failed wait shows

T = TypeVar("T")


class RealGraph:
    """The running processes, what they say, and episodes in them. It listens while it waits."""

    def __init__(
        self, node: Node, starter: Starter, processes: Sequence[Process], directory: Path, joint_states: str
    ) -> None:
        self.node = node
        self._starter = starter
        self._names = [process.name for process in processes]
        self._directory = directory
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self.sim_clock: SimClock | None = None
        """That the nodes follow; None where they follow none."""
        keeps_all = QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.joints = self._listen(JointState, joint_states, keeps_all)
        self.truth = self._listen(SimTruth, "sim/truth", keeps_all)
        self.arm = self._listen(ArmState, "arm_state", LATCHED)
        self.reports = self._listen(GateReport, "gate_report", EVENT)
        self.chunks = self._listen(ActionChunk, "action_chunk", EVENT)
        self.decisions = self._listen(Decision, "decision", EVENT)
        self._episodes = ActionClient(node, RunEpisode, "run_episode")
        self._questions = node.create_client(GetParameters, "episode/get_parameters")
        self._result: Future | None = None
        self._handle: ClientGoalHandle | None = None

    @property
    def bags(self) -> Path:
        """Directory that episodes are recorded to."""
        return self._directory / "bags"

    def close(self) -> None:
        """Stop listening."""
        self._executor.shutdown()
        self._episodes.destroy()

    def _listen(self, kind: type, topic: str, qos: QoSProfile) -> list[Heard]:
        heard: list[Heard] = []

        def keep(message: Any, information: dict[str, Any]) -> None:
            heard.append(Heard(information["source_timestamp"], message))

        self.node.create_subscription(kind, topic, keep, qos)
        return heard

    # Processes

    def check(self) -> None:
        """Fail where a node could not be kept running."""
        assert not self._starter.failure, self._starter.failure

    def pids(self) -> dict[str, int | None]:
        """Process id of every node."""
        return {name: self._starter.pid(name) for name in self._names}

    def send_signal(self, name: str, number: int) -> int:
        """Send a signal to a node; returns the moment [ns since the epoch]."""
        pid = self._starter.pid(name)
        assert pid is not None, f"{name} is not running"
        moment = time.time_ns()
        os.kill(pid, number)
        return moment

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """End a node by a signal, and wait for its next process; returns the moment of the signal [ns]."""
        pid = self._starter.pid(name)
        moment = self.send_signal(name, number)
        self.until(lambda: self._starter.pid(name) not in (None, pid), f"another process of {name}")
        return moment

    def said(self, name: str) -> str:
        """What a node has printed so far."""
        return (self._directory / "logs" / f"{name}.log").read_text()

    # Waiting

    def until(self, wanted: Callable[[], T], what: str, timeout: float = PATIENCE) -> T:
        """Listen until `wanted` is true, and return its value; `what` tells a failed wait's reader what was missing."""
        end = time.monotonic() + timeout
        while not (value := wanted()):
            self.check()
            if time.monotonic() > end:
                pytest.fail(f"not within {timeout:g} s: {what}\n{self._tails()}")
            self._executor.spin_once(timeout_sec=0.05)
        return value

    def until_moving(self, since: int) -> None:
        """Wait until the arm moves and a decision was made, both after the moment `since` [ns since the epoch]."""
        self.until(lambda: self.decisions and self.decisions[-1].sent > since, "a decision")
        self.until(lambda: self.joints[-1].sent > since and speed(self.joints[-1]) > MOVING, "a moving arm")

    def until_at_rest(self, since: int) -> float:
        """Wait until the arm rests after the moment `since`; returns how long that took, by the robot's clock [s]."""
        return self.until(lambda: rest_after(self.joints, since), "an arm at rest")

    def ask(self, client: Client, request: Any) -> Any:
        """Call a service until it answers; returns what it says. For questions that may be put more than once.

        For a while DDS takes a killed server for alive, and a server that doesn't know of this client yet answers into
        the void.
        """
        while True:
            self.until(client.service_is_ready, f"the service {client.srv_name}")
            future = client.call_async(request)
            give_up = time.monotonic() + REPEAT
            self.until(lambda: future.done() or time.monotonic() > give_up, "")  # noqa: B023 - looked at at once
            if future.done():
                return future.result()
            client.remove_pending_request(future)

    def _tails(self) -> str:
        tails = {name: self.said(name).splitlines()[-_TAIL:] for name in self._names}
        return "\n".join(f"[{name}] {line}" for name, lines in tails.items() for line in lines)

    # Episodes

    def begin(self, seed: int = 1, *, moves: bool = True) -> Path:
        """Begin a recorded episode, and wait until it `moves` the arm; returns its partial file."""
        self.end()
        # A conductor that answers has discovered this node's older clients, and so that of its goals.
        self.ask(self._questions, GetParameters.Request())
        known = set(self.bags.glob("*/*.partial"))
        goal = RunEpisode.Goal(task="egg_in_basket", seed=seed, record_directory=str(self.bags))
        begun = time.time_ns()
        sent = self._episodes.send_goal_async(goal)
        self.until(sent.done, "an answer to the goal")
        self._handle = sent.result()
        assert self._handle.accepted, "the goal was rejected"
        self._result = self._handle.get_result_async()
        self.until(lambda: self.episode_ended or set(self.bags.glob("*/*.partial")) - known, "a recording")
        assert not self.episode_ended, self.result().message
        (bag,) = set(self.bags.glob("*/*.partial")) - known
        if moves:
            self.until_moving(begun)
        return bag

    @property
    def recording(self) -> bool:
        """Whether an episode runs."""
        return self._handle is not None and not self.episode_ended

    @property
    def episode_ended(self) -> bool:
        """Whether the last episode has a result."""
        return self._result is not None and self._result.done()

    def end(self) -> RunEpisode.Result | None:
        """Call the running episode off, if there is one; returns its result."""
        if self._handle is None:
            return None
        if not self.episode_ended:
            self._handle.cancel_goal_async()
        return self.result()

    def forget(self) -> None:
        """The conductor died, and the episode has no result."""
        self._handle = self._result = None

    def result(self) -> RunEpisode.Result:
        """Wait for the episode's end."""
        assert self._result is not None, "no episode was begun"
        self.until(self._result.done, "the episode's result")
        result = self._result.result().result
        self.forget()
        return result


@contextmanager
def real_graph(
    directory: Path,
    *,
    peer_timeout: float,
    change: Callable[[Process], Process] = lambda process: process,
    joint_states: str = "joint_states",
    sim_time: bool = False,
) -> Iterator[RealGraph]:
    """Start the graph, steered by the scripted reasoner, wait until it is ready, and stop it in the end.

    Args:
        directory: for the logs and the bags.
        peer_timeout: s that the conductor of episodes waits for other nodes.
        change: applied to each process before the start.
        joint_states: topic on which the simulation itself publishes them, where `change` has renamed it.
        sim_time: whether the nodes follow a /clock, as far as they ask for the time at all.
    """
    extra = directory / "parameters.yaml"
    extra.write_text(yaml.safe_dump({"/**/episode": {"ros__parameters": {"peer_timeout": peer_timeout}}}))
    described = resolve(load("sim", config_directory()), {"params_file": str(extra)})
    time_source = {"use_sim_time": sim_time}
    processes = [
        change(replace(process, parameters={**process.parameters, **time_source})) for process in described.processes
    ]
    with closing(LogFiles([process.name for process in processes], directory / "logs")) as logs:
        starter = Starter(processes, logs)  # which may say that an executable is missing
        rclpy.init()
        node = Node("witness")
        sim_clock = SimClock(node) if sim_time else None
        starter.start()
        try:
            with closing(RealGraph(node, starter, processes, directory, joint_states)) as graph:
                graph.sim_clock = sim_clock
                with closing(EpisodeClient(graph.check, ("scripted_reasoner",))) as client:
                    client.wait_until_ready(lambda _: None)
                yield graph
        finally:
            if sim_clock is not None:
                sim_clock.close()
            leave(node)  # before the others, whose end it need not see: the fixture `ros` says why
            starter.stop()
            clean_shared_memory()
