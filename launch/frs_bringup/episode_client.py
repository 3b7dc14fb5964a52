"""Asks for an episode over ROS: waits until the graph is ready, sends the goal, follows it to its result."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import rclpy
from frs_msgs.action import RunEpisode
from frs_msgs.msg import ArmState, Decision, PolicyInfo, RecorderState, TaskState
from rcl_interfaces.srv import GetParameters
from rclpy.action import ActionClient
from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import SetBool

from frs_steering.nodes.entering import entering, join
from frs_steering.nodes.leaving import leave
from frs_steering.nodes.qos import EVENT, LATCHED

READY_SECONDS = 90.0
"""s that the graph may take to come up; loading the policy takes most of it."""

SILENCE_SECONDS = 40.0
"""s without a word from the episode's conductor after which it is given up: more than its own time-outs together."""

GREETING_SECONDS = 0.5
"""s that the conductor may take to answer a greeting."""

_SLICE = 0.1  # s between two looks at what may have gone wrong

_STATES = {
    "vla_inference": (PolicyInfo, "policy_info"),
    "arm_controller": (ArmState, "arm_state"),
    "sim": (TaskState, "task_state"),
    "recorder": (RecorderState, "recorder_state"),
}


class EpisodeError(RuntimeError):
    """No episode could be run to its end; the message says what was missing."""


@dataclass(frozen=True)
class Progress:
    """How far an episode is: control steps, of how many, chunks, who steers, and what is amiss in words, if anything.

    What is amiss is what the recorder or the arm complains of; before the first step, what the recorder's preflight
    found.
    """

    step: int
    step_limit: int
    chunks: int
    message: str
    amiss: str = ""


class EpisodeClient:
    """A node that runs one episode; everything happens in the caller's thread."""

    def __init__(
        self, check: Callable[[], None], operators: tuple[str, ...], namespace: str = "/", name: str = "frs_demo"
    ) -> None:
        """Join the graph.

        Args:
            check: called ten times a second; raises what should end a wait.
            operators: names of the nodes that give guidance.
            namespace: of the graph's nodes.
            name: of this one.
        """
        self._check = check
        self._operators = operators
        self._heard: dict[str, Any] = {}
        self._context = rclpy.Context()
        with entering():
            join([], self._context)
            self._node = Node(name, context=self._context, namespace=namespace)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        for name, (kind, topic) in _STATES.items():
            self._node.create_subscription(kind, topic, lambda msg, name=name: self._heard.update({name: msg}), LATCHED)
        self._node.create_subscription(Decision, "decision", lambda msg: self._heard.update(decision=msg), EVENT)
        self._steering: Client[Any, Any] = self._node.create_client(SetBool, "flow_steering/activate")
        self._greeting: Client[Any, Any] = self._node.create_client(GetParameters, "episode/get_parameters")
        self._episodes: ActionClient[Any, Any, Any] = ActionClient(self._node, RunEpisode, "run_episode")

    @property
    def node(self) -> Node:
        """For further questions to the graph; their answers come in while `finish` or `spin` waits."""
        return self._node

    @property
    def policy(self) -> PolicyInfo:
        """The policy that the graph has; only after `wait_until_ready`."""
        return self._heard["vla_inference"]

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        leave(self._node, context=self._context)

    def missing(self) -> dict[str, str]:
        """What the graph still lacks for an episode, by the node that is to give it."""
        missing = {name: topic for name, (_, topic) in _STATES.items() if name not in self._heard}
        arm = self._heard.get("arm_controller")
        if arm is not None and arm.state == ArmState.FAULT:
            missing["arm_controller"] = f"a sound arm, now {arm.message}"
        if not self._steering.service_is_ready():
            missing["flow_steering"] = "flow_steering/activate"
        if self._node.count_publishers("guidance") < len(self._operators):
            missing[" and ".join(self._operators)] = "guidance"
        if not self._episodes.server_is_ready():
            missing["episode"] = "run_episode"
        return missing

    def wait_until_ready(self, on_missing: Callable[[Mapping[str, str]], None]) -> None:
        """Wait for all nodes; `on_missing` is told meanwhile what still lacks.

        Raises:
            EpisodeError: something is still missing after READY_SECONDS; the message lists it.
        """
        end = time.monotonic() + READY_SECONDS
        while missing := self.missing():
            if time.monotonic() > end:
                lacks = ", ".join(f"{what} (of {node})" for node, what in missing.items())
                raise EpisodeError(f"the graph was not ready after {READY_SECONDS:g} s; missing: {lacks}")
            on_missing(missing)
            self.spin()
        self._greet_episode(end)

    def _greet_episode(self, end: float) -> None:
        # An answer is lost if its sender has not discovered the asker yet. So something harmless is asked until an
        # answer comes, and only then for an episode.
        request = GetParameters.Request(names=[])
        while time.monotonic() < end:
            asked, until = self._greeting.call_async(request), time.monotonic() + GREETING_SECONDS
            while not asked.done() and time.monotonic() < until:
                self.spin()
            if asked.done():
                return
            self._greeting.remove_pending_request(asked)
        raise EpisodeError("the node episode is there but does not answer (episode/get_parameters)")

    def run(self, goal: RunEpisode.Goal, on_progress: Callable[[Progress], None]) -> RunEpisode.Result:
        """Run the episode.

        Raises:
            EpisodeError: the goal was rejected, or its conductor fell silent.
        """
        sent = self._episodes.send_goal_async(goal, lambda feedback: self._on_feedback(feedback, on_progress))
        handle = self.finish(sent, "episode")
        if not handle.accepted:
            raise EpisodeError("the node episode rejected the goal: another episode is running")
        return self.finish(handle.get_result_async(), "episode").result

    def _on_feedback(self, message: Any, on_progress: Callable[[Progress], None]) -> None:
        self.heard_of()
        feedback = message.feedback
        limit = self._heard["sim"].step_limit
        on_progress(Progress(feedback.step, limit, feedback.chunks, self._who_steers(), feedback.message))

    def _who_steers(self) -> str:
        decision = self._heard.get("decision")
        if decision is None:
            return "no decision yet"
        if decision.source == Decision.SOURCE_NOISE_POLICY:
            return "the noise policy acts"
        return f"{decision.guidance.author or 'somebody'} steers" if decision.source else "the policy acts"

    def heard_of(self) -> None:
        """Note that whoever is waited for still lives."""
        self._last_word = time.monotonic()

    def finish(self, future: Future, node: str) -> Any:
        """Wait for an answer of a node, as long as it is heard of.

        Raises:
            EpisodeError: it fell silent.
        """
        self.heard_of()
        while not future.done():
            silence = time.monotonic() - self._last_word
            if silence > SILENCE_SECONDS:
                raise EpisodeError(f"nothing was heard from the node {node} for {silence:.0f} s")
            self.spin()
        return future.result()

    def spin(self) -> None:
        """Take in what came, for a tenth of a second at most."""
        self._check()
        self._executor.spin_once(timeout_sec=_SLICE)
