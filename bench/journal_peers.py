"""The benchmark's own node: starts and stops recordings, switches the policy on, hears the control steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rclpy
from frs_msgs.msg import ArmState, Decision, EpisodeEvent, GateReport, PolicyInfo, TaskState
from frs_msgs.srv import StartRecording, StopRecording
from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from std_srvs.srv import SetBool

from frs_steering.nodes.leaving import leave
from frs_steering.nodes.qos import EVENT, LATCHED
from frs_steering.record.steps import is_step

PATIENCE = 30.0  # s for an answer
ASK_AGAIN = 2.0  # s without one
CLOSING = 12.0  # s that the recorder may take to finish a file; only then is it asked again, and answers the same


class Peers:
    """Everything happens in the caller's thread."""

    def __init__(self) -> None:
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        self._node = Node("bench_journal")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self._heard: dict[str, Any] = {}
        self.lateness: list[float] = []
        """s, of the control steps since it was cleared."""
        self.totals: list[float] = []
        """s that the decisions took since it was cleared, all stages of each together."""
        for kind, topic in (
            (PolicyInfo, "policy_info"),
            (ArmState, "arm_state"),
            (TaskState, "task_state"),
        ):
            self._node.create_subscription(
                kind, topic, lambda msg, name=topic: self._heard.update({name: msg}), LATCHED
            )
        self._node.create_subscription(GateReport, "gate_report", self._on_report, EVENT)
        self._node.create_subscription(Decision, "decision", lambda msg: self.totals.append(msg.timings.total), EVENT)
        self._start: Client[Any, Any] = self._node.create_client(StartRecording, "recorder/start")
        self._stop: Client[Any, Any] = self._node.create_client(StopRecording, "recorder/stop")
        self._activate: Client[Any, Any] = self._node.create_client(SetBool, "flow_steering/activate")

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        leave(self._node)

    @property
    def ready(self) -> bool:
        """Whether the simulation, the policy and the arm are there."""
        return len(self._heard) == 3 and self._activate.service_is_ready()

    def recorders(self) -> set[bytes]:
        """Recorders that hear the control steps, by their endpoints; a killed one is believed to be there for 20 s."""
        heard = self._node.get_subscriptions_info_by_topic("arm_state")
        return {bytes(info.endpoint_gid) for info in heard if info.node_name == "recorder"}

    def start(self, name: str, directory: Path) -> str:
        """Begin a recording; returns its path."""
        request = StartRecording.Request(episode_id=name, directory=str(directory), instruction="bench", task="bench")
        return str(self._call(self._start, request).path)

    def stop(self) -> tuple[int, int]:
        """End the recording; returns how many control records and images were lost, as the recorder says."""
        answer = self._call(self._stop, StopRecording.Request(label=EpisodeEvent.STOPPED), CLOSING)
        return answer.dropped_control, answer.dropped_images

    def activate(self) -> None:
        """Let the policy drive, as soon as flow_steering is ready to: it may still lack something."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self._call(self._activate, SetBool.Request(data=True))
                return
            except RuntimeError:
                if time.monotonic() > end:
                    raise
                self.spin(0.5)

    def spin(self, seconds: float) -> None:
        """Hear what comes for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)

    def wait(self, condition: Callable[[], bool], seconds: float) -> None:
        """Hear what comes until the condition holds.

        Raises:
            TimeoutError: it did not in that time.
        """
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(
                    f"the graph was not as it should be after {seconds:g} s; heard {sorted(self._heard)}"
                )
            self._executor.spin_once(timeout_sec=0.05)

    def _on_report(self, report: GateReport) -> None:
        if is_step(report):
            self.lateness.append(report.tick_lateness)

    def _call(self, client: Any, request: Any, again: float = ASK_AGAIN) -> Any:
        # An answer is lost if its sender has not discovered the asker yet: ask again after so many s.
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            future, until = client.call_async(request), time.monotonic() + again
            while not future.done() and time.monotonic() < until:
                self._executor.spin_once(timeout_sec=0.05)
            if not future.done():
                client.remove_pending_request(future)
                continue
            answer = future.result()
            if answer.success:
                return answer
            raise RuntimeError(f"{client.srv_name}: {answer.message}")
        raise TimeoutError(f"{client.srv_name} did not answer within {PATIENCE:g} s")
