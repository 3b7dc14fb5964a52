"""Service calls that never block the screen: absent and silent servers become one line for the operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import Trigger

ANSWER_TIMEOUT = 2.0
"""s after which a question counts as unanswered."""

STOP_INTERVAL = 0.2
"""s between two askings for a stop that is not confirmed."""


class Tell(Protocol):
    """Puts a line in front of the operator."""

    def __call__(self, text: str, *, bad: bool = False) -> None:
        """Show `text`; `bad` where something went wrong."""


class Asking:
    """One service of a peer; at most one question under way."""

    def __init__(self, node: Node, service_type: Any, service: str, peer: str, tell: Tell) -> None:
        """Connect.

        Args:
            node: node to ask from.
            service_type: type of the service.
            service: relative name of the service.
            peer: name of the node that offers it, for messages.
            tell: where complaints go.
        """
        self.client: Client = node.create_client(service_type, service)
        self._service, self._peer, self._tell = service, peer, tell
        self._future: Future | None = None
        self._asked_at = 0.0

    def ask(self, request: Any, at: float, then: Callable[[Any], None]) -> bool:
        """Send a question and hand the response to `then` (in the executor's thread).

        Returns:
            False, after telling the operator why, if nobody is there or an earlier question is open.
        """
        if self._future is not None:
            self._tell(f"{self._service}: still waiting for {self._peer}", bad=True)
            return False
        if not self.client.service_is_ready():
            self._tell(f"{self._service}: no {self._peer} is there", bad=True)
            return False
        self._asked_at = at
        self._future = self.client.call_async(request)
        self._future.add_done_callback(lambda future: self._answered(future, then))
        return True

    def expire(self, at: float) -> None:
        """Give up a question that nobody answered in time."""
        if self._future is not None and at - self._asked_at > ANSWER_TIMEOUT:
            self.client.remove_pending_request(self._future)
            self._future = None
            self._tell(f"{self._service}: no answer of {self._peer} in {ANSWER_TIMEOUT:g} s", bad=True)

    def _answered(self, future: Future, then: Callable[[Any], None]) -> None:
        if future is not self._future:
            return  # given up meanwhile
        self._future = None
        response = future.result()
        if response is not None:
            then(response)


class StopAsking:
    """The stop: asked for again and again until the arm confirms it, also of an arm controller that comes back."""

    def __init__(self, node: Node, service: str) -> None:
        """Connect to the Trigger service `service`."""
        self._client: Client = node.create_client(Trigger, service)
        self.since: float | None = None
        self._asked_at = 0.0
        self._future: Future | None = None

    def ask(self, at: float) -> None:
        """Want the stop, and ask for it at once."""
        self.since = at
        self._send(at)

    def repeat(self, at: float) -> None:
        """Ask once more if the stop is wanted and not confirmed."""
        if self.since is not None and at - self._asked_at >= STOP_INTERVAL:
            self._send(at)

    def end(self) -> None:
        """Want it no more: the arm says that it stopped, or the operator resets."""
        self.since = None

    def _send(self, at: float) -> None:
        self._asked_at = at
        if self._future is not None:
            self._client.remove_pending_request(self._future)
        self._future = self._client.call_async(Trigger.Request())
        self._future.add_done_callback(self._answered)

    def _answered(self, future: Future) -> None:
        response = future.result()
        if future is self._future and response is not None and response.success:
            self.end()
