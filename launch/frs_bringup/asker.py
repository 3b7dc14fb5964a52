"""Asks a running graph for a service or an action, from any shell, with plain words where nobody answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import rclpy
from action_msgs.msg import GoalStatus
from rcl_interfaces.srv import GetParameters
from rclpy.action import ActionClient
from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.task import Future

from frs_bringup.errors import NobodyAnswers, Refused
from frs_steering.nodes.entering import entering, join
from frs_steering.nodes.leaving import leave

DISCOVERY_SECONDS = 5.0
"""s for a node to be found and to answer a greeting; it takes some tenths."""

ANSWER_SECONDS = 15.0
"""s for an answer: finishing a recording may take 10."""

CANCEL_SECONDS = 10.0
"""s for an action to end after it was called off."""

_GREETING = 0.5  # s
_SLICE = 0.1  # s


class Asker:
    """A node for one command; everything happens in the caller's thread. Use it with `closing`."""

    def __init__(self, namespace: str, domain: str) -> None:
        """Join the graph.

        Args:
            namespace: of the graph's nodes, such as "/" or "/left".
            domain: of ROS, for messages.
        """
        self._domain = domain
        self._context = rclpy.Context()
        with entering():
            join([], self._context)
            self._node = Node("frs_asks", namespace=namespace, context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        leave(self._node, context=self._context)

    def call(
        self,
        kind: type,
        service: str,
        request: Any,
        node: str,
        *,
        greet: bool = True,
        on_silence: Callable[[str], None] | None = None,
    ) -> Any:
        """Call a service.

        Args:
            kind: of the service.
            service: its name in the graph's namespace.
            request: to it.
            node: that offers it.
            greet: ask it for something harmless first. An answer is lost if its sender has not discovered the asker
                yet; without a greeting the request itself is repeated, and must not mind that.
            on_silence: go on asking for ever, and call this each time where NobodyAnswers were raised, with its words.

        Returns:
            The response; its `success` is true.

        Raises:
            NobodyAnswers: the node is not there, or silent.
            Refused: it answered, and does not do it.
        """
        if greet:
            self._greet(node)
        client: Client[Any, Any] = self._node.create_client(kind, service)
        repeat = ANSWER_SECONDS if greet else _GREETING
        response = None
        while response is None:
            try:
                response = self._ask(client, request, service, node, repeat)
            except NobodyAnswers as error:
                if on_silence is None:
                    raise
                on_silence(str(error))
        if not response.success:
            raise Refused(response.message or f"{service} was refused without a reason")
        return response

    def act(self, kind: Any, action: str, goal: Any, node: str, on_feedback: Callable[[Any], None]) -> tuple[Any, bool]:
        """Have an action done; Ctrl-C (KeyboardInterrupt) calls it off at any moment, and its end is waited for.

        Returns:
            The result, whatever it says, and whether it was called off.

        Raises:
            NobodyAnswers: the node is not there, or silent.
            Refused: it does not take the goal.
        """
        self._greet(node)
        client: ActionClient = ActionClient(self._node, kind, action)
        if not self._spin(client.server_is_ready, DISCOVERY_SECONDS):
            raise NobodyAnswers(self._nobody(action, node))
        sent = client.send_goal_async(goal, lambda message: on_feedback(message.feedback))
        call_off = False
        try:
            answered = self._spin(sent.done, ANSWER_SECONDS)
        except KeyboardInterrupt:  # it may have begun all the same
            call_off, answered = True, self._spin(sent.done, CANCEL_SECONDS)
        if not answered:
            raise NobodyAnswers(f"{action}: the node {node} did not answer in time; it may have begun all the same")
        handle = sent.result()
        if handle is None or not handle.accepted:
            raise Refused(f"{node} does not take it: another one is under way, or it can't be now")
        return self._result(handle, action, node, call_off=call_off)

    def listen(self, kind: type, topic: str, qos: QoSProfile | int, on_message: Callable[[Any], None]) -> None:
        """Have `on_message` called with what comes on a topic, while `wait` lasts."""
        self._node.create_subscription(kind, topic, on_message, qos)

    def wait(self, heard: Callable[[], bool], what: str, node: str, more: float) -> None:
        """Wait until something was heard, and for `more` s after that.

        Raises:
            NobodyAnswers: `node`, which says `what`, is not there, or silent.
        """
        if not self._spin(heard, DISCOVERY_SECONDS):
            raise NobodyAnswers(self._nobody(what, node))
        self._spin(lambda: False, more)

    def _result(self, handle: Any, action: str, node: str, *, call_off: bool) -> tuple[Any, bool]:
        over: Future[Any] = handle.get_result_async()
        try:
            while not call_off and not self._spin(over.done, 1.0):
                if node not in self._nodes():
                    raise NobodyAnswers(f"{action}: the node {node} has gone; how it ended is not known")
        except KeyboardInterrupt:
            call_off = True
        if call_off:
            handle.cancel_goal_async()
            if not self._spin(over.done, CANCEL_SECONDS):
                message = f"{action}: called off, but {node} did not say within {CANCEL_SECONDS:g} s that it ended"
                raise NobodyAnswers(message) from None
        response = over.result()
        assert response is not None  # it is done
        return response.result, response.status == GoalStatus.STATUS_CANCELED

    def _greet(self, node: str) -> None:
        client: Client[Any, Any] = self._node.create_client(GetParameters, f"{node}/get_parameters")
        self._ask(client, GetParameters.Request(names=[]), "", node, _GREETING)

    def _ask(self, client: Client[Any, Any], request: Any, what: str, node: str, repeat: float) -> Any:
        """Ask again every `repeat` s until an answer comes."""
        if not self._spin(client.service_is_ready, DISCOVERY_SECONDS):
            raise NobodyAnswers(self._nobody(what or node, node))
        end = time.monotonic() + max(DISCOVERY_SECONDS, repeat)
        while time.monotonic() < end:
            future = client.call_async(request)
            if self._spin(future.done, repeat):
                return future.result()
            client.remove_pending_request(future)
        raise NobodyAnswers(f"{what or node}: the node {node} is there, but does not answer")

    def _nobody(self, what: str, node: str) -> str:
        found = self._node.get_node_names_and_namespaces()
        namespaces = sorted(namespace for name, namespace in found if name == node)
        if self._node.get_namespace() in namespaces:
            return f"{what}: the node {node} is there, but does not offer it"
        if namespaces:
            return f"{what}: the node {node} is in namespace {namespaces[0]}: add --namespace {namespaces[0]}"
        others = sorted(self._nodes())
        seen = f"only {', '.join(others)}" if others else "no node at all"
        return (
            f"{what}: the node {node} is not there. ROS domain {self._domain}, namespace "
            f"{self._node.get_namespace()}, has {seen}. It is part of a running graph: `frs up sim` or `frs up fr3` in "
            "another terminal, or join the one that runs: ROS_DOMAIN_ID=N before the command, --namespace NS behind it"
        )

    def _nodes(self) -> set[str]:
        here = self._node.get_namespace()
        found = self._node.get_node_names_and_namespaces()
        return {name for name, namespace in found if namespace == here} - {self._node.get_name()}

    def _spin(self, wanted: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not wanted():
            if time.monotonic() > end:
                return False
            self._executor.spin_once(timeout_sec=_SLICE)
        return True
