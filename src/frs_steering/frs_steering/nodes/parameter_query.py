"""Asks every node of the graph for its parameters, a little at a time, so that nothing waits for anybody."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from rcl_interfaces.msg import ParameterValue
from rcl_interfaces.srv import GetParameters, ListParameters
from rclpy.client import Client
from rclpy.node import Node
from rclpy.parameter import parameter_value_to_python
from rclpy.task import Future

from frs_steering.record.configuration import PARAMETERS_RECORD, SILENT_RECORD

PATIENCE = 2.0
"""s that a node may take to answer."""

SETTLE = 0.4
"""s from when a client sees the server until it calls. A server that is called before it sees the client waits for up
to 0.1 s when it answers (Fast DDS), and the asked node's executor, which may be the arm's, with it."""


Clients = dict[str, tuple[Client, Client]]
"""Of nodes that were asked, by their names: for ListParameters and GetParameters."""


class ParameterQuery:
    """Goes through the nodes that are in the graph, or come within PATIENCE; step() does what can be done at once."""

    def __init__(self, node: Node, clients: Clients, tell: Callable[[str, Mapping[str, str]], None]) -> None:
        """Begin.

        Args:
            node: who asks; its executor takes the answers.
            clients: of earlier queries, and for later ones. They are kept, since their end just after an answer can
                harm the node that gave it (nodes/leaving.py), and destroyed at the next query if the node is gone.
            tell: takes a metadata record's name and content: a record for each node that answered, and at the end one
                that names the others.
        """
        self._node, self._clients, self._tell = node, clients, tell
        self._known: set[str] = set()
        self._coming: deque[str] = deque()
        self._asked: list[_Question] = []
        self._silent: dict[str, str] = {}
        self._ended = False
        self._look_until = time.monotonic() + PATIENCE
        self._look()
        for name in clients.keys() - self._known:
            for client in clients.pop(name):
                node.destroy_client(client)

    def step(self) -> None:
        """Ask one more node, and take what has come; returns at once."""
        if self._ended:
            return
        for question in list(self._asked):
            if question.step():
                self._settle(question)
        looking = time.monotonic() < self._look_until
        if looking:
            self._look()
        if self._coming:  # one a step: what a node says of its new clients makes work for all others
            name = self._coming.popleft()
            self._asked.append(_Question(name, *self._clients_of(name)))
        elif not self._asked and not looking:
            self._end()

    def close(self) -> None:
        """Name who has not answered yet; the episode is over."""
        if self._ended:
            return
        for question in list(self._asked):
            question.why = question.why or "the episode ended before it answered"
            self._settle(question)
        self._silent |= dict.fromkeys(self._coming, "the episode ended before it was asked")
        self._end()

    def _look(self) -> None:
        found = {f"{space.rstrip('/')}/{name}" for name, space in self._node.get_node_names_and_namespaces()}
        visible = {name for name in found if not name.rpartition("/")[2].startswith("_")}
        self._coming.extend(sorted(visible - self._known))
        self._known |= visible

    def _clients_of(self, name: str) -> tuple[Client, Client]:
        if name not in self._clients:
            self._clients[name] = (
                self._node.create_client(ListParameters, f"{name}/list_parameters"),
                self._node.create_client(GetParameters, f"{name}/get_parameters"),
            )
        return self._clients[name]

    def _settle(self, question: _Question) -> None:
        self._asked.remove(question)
        if question.why:
            self._silent[question.name] = question.why
        else:
            self._tell(PARAMETERS_RECORD + question.name, question.found)

    def _end(self) -> None:
        self._ended = True
        self._tell(SILENT_RECORD, self._silent)


class _Question:
    """To one node: which parameters it has, and then their values."""

    def __init__(self, name: str, names: Client, values: Client) -> None:
        self.name, self.why = name, ""
        self.found: dict[str, str] = {}
        self._list, self._get = names, values
        self._answer: Future | None = None
        self._names: list[str] | None = None
        self._until = time.monotonic() + PATIENCE
        self._ready: float | None = None  # since when, by the monotonic clock

    def step(self) -> bool:
        """Whether the question is settled: answered, or out of patience."""
        if self._answer is not None and self._answer.done():
            try:
                return self._take(self._answer.result())
            except Exception as error:  # a server of any kind, and its own errors
                self.why = f"its answer is none: {error!r}"
                return True
        now = time.monotonic()
        if self._ready is None and self._list.service_is_ready() and self._get.service_is_ready():
            self._ready = now
        if self._answer is None and self._ready is not None and now - self._ready > SETTLE:
            self._answer = self._list.call_async(ListParameters.Request())
        if now > self._until:
            self.why = f"it did not answer within {PATIENCE:g} s"
            if self._answer is None:
                self.why = "it has no parameter services"
        return bool(self.why)

    def _take(self, answer: Any) -> bool:
        if self._names is None:
            self._names = list(answer.result.names)
            self._answer = self._get.call_async(GetParameters.Request(names=self._names))
            return False
        if len(answer.values) != len(self._names):
            self.why = f"it told {len(answer.values)} values of {len(self._names)} parameters"
        self.found = {name: _text(value) for name, value in zip(self._names, answer.values, strict=False)}
        return True


def _text(value: ParameterValue) -> str:
    return json.dumps(parameter_value_to_python(value), default=list)
