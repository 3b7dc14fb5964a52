"""Nodes that are asked for something, on a thread of their own: for the tests of `frs arm` and `frs live`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node


class AskedGraph:
    """Offers services and actions, and notes what was asked."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self._nodes: dict[str, Node] = {}
        self._servers: list[ActionServer] = []
        self._ended = threading.Event()
        self._executor = MultiThreadedExecutor(2)
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()

    def serve(self, node: str, kind: type, service: str, namespace: str = "", **answer: Any) -> None:
        """Offer a service that answers so."""

        def on_request(request: Any, response: Any) -> Any:
            self.requests.append(request)
            for name, value in answer.items():
                setattr(response, name, value)
            return response

        self._node(node, namespace).create_service(kind, service, on_request)

    def act(
        self, node: str, kind: Any, action: str, work: Callable[[Any], Any], think: Callable[[], Any] = lambda: None
    ) -> None:
        """Offer an action that does `work` with its goal handle, in a thread of the executor, once it has thought."""

        def execute(handle: Any) -> Any:
            self.requests.append(handle.request)
            return work(handle)

        def accept(_: Any) -> GoalResponse:
            think()
            return GoalResponse.ACCEPT

        self._servers.append(
            ActionServer(
                self._node(node, ""), kind, action, execute,
                goal_callback=accept, cancel_callback=lambda _: CancelResponse.ACCEPT,
            )
        )  # fmt: skip

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._executor.shutdown()
        for server in self._servers:
            server.destroy()
        for node in self._nodes.values():
            node.destroy_node()

    def _node(self, name: str, namespace: str) -> Node:
        if name not in self._nodes:
            self._nodes[name] = rclpy.create_node(name, namespace=namespace or None)
            self._executor.add_node(self._nodes[name])
        return self._nodes[name]

    def _spin(self) -> None:
        while not self._ended.is_set():
            self._executor.spin_once(timeout_sec=0.05)
