"""What the tests of the simulation's nodes share: starting an executable, listening, calling."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ament_index_python.packages import get_package_prefix
from frs_msgs.srv import ResetTask
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from frs_steering.nodes.qos import SENSOR

T = TypeVar("T")

PATIENCE = 30.0  # s; two busy cores make a start slow


def executable(name: str, package: str = "frs_sim") -> Path:
    """Path of a node as colcon installed it."""
    return Path(get_package_prefix(package)) / "lib" / package / name


class Ear:
    """Spins a test's node while it waits."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)

    def listen(self, kind: type, topic: str, qos: Any = SENSOR) -> list[Any]:
        """All messages of a topic from now on."""
        heard: list[Any] = []
        self.node.create_subscription(kind, topic, heard.append, qos)
        return heard

    def until(self, wanted: Callable[[], T], timeout: float = PATIENCE) -> T:
        """Spin until `wanted` is true, and return its value."""
        end = time.monotonic() + timeout
        while not (value := wanted()):
            assert time.monotonic() < end, "what was waited for did not come"
            self._executor.spin_once(timeout_sec=0.05)
        return value

    def spin(self, seconds: float) -> None:
        """Spin for that long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._executor.spin_once(timeout_sec=0.02)

    def call(self, kind: type, name: str, request: Any) -> Any:
        """Call a service and return its response.

        The request is repeated where no answer comes, for a service that has only just discovered its client loses it.
        """
        client = self.node.create_client(kind, name)
        self.until(client.service_is_ready)
        end = time.monotonic() + PATIENCE
        while True:
            future = client.call_async(request)
            asked = time.monotonic()
            self.until(lambda: future.done() or time.monotonic() > asked + 3.0)  # noqa: B023 - looked at at once
            if future.done():
                self.node.destroy_client(client)
                return future.result()
            assert time.monotonic() < end, f"{name} does not answer"

    def reset(self, task: str, seed: int) -> ResetTask.Response:
        """Reset the simulated scene."""
        return self.call(ResetTask, "sim/reset", ResetTask.Request(task=task, seed=seed))


def seconds(stamp: Any) -> float:
    """A stamp in s."""
    return float(stamp.sec + 1e-9 * stamp.nanosec)
