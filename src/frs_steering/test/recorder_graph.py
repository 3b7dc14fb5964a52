"""The rest of the graph for a recorder: publishes all that it listens to, and calls it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from frs_msgs.msg import EpisodeEvent, RecorderState
from frs_msgs.srv import StartRecording, StopRecording
from journal_samples import TOPICS, tick_messages
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from std_srvs.srv import Trigger

from frs_steering.nodes.qos import EVENT, LATCHED, SENSOR
from frs_steering.record.topics import Kind

QOS = {Kind.SENSOR: SENSOR, Kind.IMAGE: SENSOR, Kind.EVENT: EVENT, Kind.LATCHED: LATCHED}


class Graph:
    """The rest of the graph, in the test's process: publishes all that the recorder listens to, and calls it."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self.states: list[RecorderState] = []
        node.create_subscription(RecorderState, "recorder_state", self.states.append, LATCHED)
        self._start = node.create_client(StartRecording, "recorder/start")
        self._preflight = node.create_client(Trigger, "recorder/preflight")
        self._stop = node.create_client(StopRecording, "recorder/stop")
        self._publishers: dict[str, Publisher] = {}

    def publish(self, name: str, message: Any) -> None:
        """Publish on one of the topics, as its node would."""
        if name not in self._publishers:
            kind = next(topic.kind for topic in TOPICS if topic.name == name)
            self._publishers[name] = self._node.create_publisher(type(message), name, QOS[kind])
        self._publishers[name].publish(message)

    def announce(self) -> None:
        """Make publishers for all that tick_messages() says and wait until the recorder hears them."""
        names = {name: type(message) for name, message in tick_messages(0)}
        for topic in TOPICS:
            if topic.name in names:
                publisher = self._node.create_publisher(names[topic.name], topic.name, QOS[topic.kind])
                self._publishers[topic.name] = publisher
        self.wait(lambda: all(p.get_subscription_count() > 0 for p in self._publishers.values()))

    def delivered(self, name: str) -> None:
        """Wait until the recorder has what was published on a reliable topic; it takes it before a later call."""
        publisher = self._publishers[name]
        self.wait(lambda: publisher.get_subscription_count() > 0)
        assert publisher.wait_for_all_acked(Duration(seconds=15))

    def tick(self, number: int) -> int:
        """Publish one control step; returns how many messages that were."""
        messages = tick_messages(number)
        for name, message in messages:
            self.publish(name, message)
        return len(messages)

    def wait(self, condition: Callable[[], bool], seconds: float = 15.0) -> None:
        """Spin until the condition holds."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "the condition did not come true in time"
            for _ in range(10):  # to look may take long, and meanwhile nobody is answered
                self._executor.spin_once(timeout_sec=0.002)

    def start(self, directory: Path, episode_id: str = "e1", **more: Any) -> StartRecording.Response:
        """Call recorder/start."""
        request = StartRecording.Request(episode_id=episode_id, directory=str(directory), task="egg_in_basket", **more)
        return self._call(self._start, request)

    def preflight(self) -> Trigger.Response:
        """Ask whether an episode could be recorded."""
        return self._call(self._preflight, Trigger.Request())

    def stop(self, label: int = EpisodeEvent.SUCCEEDED, note: str = "", author: str = "") -> StopRecording.Response:
        """Call recorder/stop."""
        return self._call(self._stop, StopRecording.Request(label=label, note=note, author=author))

    def _call(self, client: Any, request: Any) -> Any:
        """Call, and call again where a killed recorder, which DDS still believes in, swallowed the call."""
        end = time.monotonic() + 15.0
        while True:
            self.wait(client.service_is_ready)
            future = client.call_async(request)
            self._executor.spin_until_future_complete(future, timeout_sec=3.0)
            if future.done():
                return future.result()
            assert time.monotonic() < end, f"{client.srv_name} did not answer"


def recorded(graph: Graph, at_least: int) -> Callable[[], bool]:
    """Whether the recorder says that it has that many messages."""
    return lambda: any(state.recording and state.messages >= at_least for state in graph.states[-1:])
