"""Asks whoever commands the arm what its gate reckons with; until it has told so, a driver follows nobody."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from rcl_interfaces.srv import GetParameters
from rclpy.client import Client
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.parameter import parameter_value_to_python
from rclpy.task import Future

from frs_steering.arm.agreement import ASKED
from frs_steering.nodes.parameter_query import SETTLE
from frs_steering.nodes.rivals import CONTROLLER

PERIOD = 0.1
"""s between two looks at who commands, and whether it has answered."""
PATIENCE = 1.0
"""s that an answer may take; then it is asked again."""


class Agreement:
    """Asks the controller anew whenever there is another one; waits for nobody.

    Its parameters are fixed from its start on, so that one answer is enough for as long as it lives.
    """

    def __init__(self, node: Node, topic: str, judge: Callable[[Mapping[str, object]], str]) -> None:
        """Begin.

        Args:
            node: the driver, whose executor takes the answers.
            topic: with the arm's commands, by its full name.
            judge: takes the controller's parameters ASKED; why it is not to be followed, empty if it is.
        """
        self._node, self._topic, self._judge = node, topic, judge
        service = f"{CONTROLLER}/get_parameters"
        self._client: Client[Any, Any] = node.create_client(GetParameters, service)
        self._waiting = f"asking {node.resolve_service_name(service)} what the gate reckons with"
        self._commanders: frozenset[bytes] = frozenset()
        self._verdict: str | None = None  # on these; None while they have not answered
        self._due = math.inf  # when to ask next [s, monotonic]; infinite once it is answered
        self._answer: Future[Any] | None = None
        node.create_timer(PERIOD, self._step, clock=Clock(clock_type=ClockType.STEADY_TIME))

    @property
    def error(self) -> str:
        """Why the controller that commands is not to be followed, as it has answered; empty otherwise."""
        return self._verdict or ""

    def look(self) -> str:
        """Why nobody is to be followed now, in words; empty where the controller has answered and agrees."""
        # A command may come before the next step: who sent it must not profit from the answer of another.
        present = frozenset(bytes(end.endpoint_gid) for end in self._node.get_publishers_info_by_topic(self._topic))
        if present != self._commanders:
            if not present or present - self._commanders:
                self._verdict = None
            self._commanders = present
            self._drop()
            # By then its service is known here, and this client there: see SETTLE.
            self._due = time.monotonic() + SETTLE if present else math.inf
        return self._waiting if present and self._verdict is None else self.error

    def _step(self) -> None:
        self.look()
        now = time.monotonic()
        if self._answer is not None and self._answer.done():
            response, self._answer = self._answer.result(), None
            values = [parameter_value_to_python(value) for value in response.values] if response else []
            told = dict(zip(ASKED, values, strict=False))
            self._verdict, self._due = self._judge({name: told.get(name) for name in ASKED}), math.inf
        elif now >= self._due and self._client.service_is_ready():
            self._drop()
            self._answer = self._client.call_async(GetParameters.Request(names=list(ASKED)))
            self._due = now + PATIENCE

    def _drop(self) -> None:
        if self._answer is not None:
            self._client.remove_pending_request(self._answer)
            self._answer = None
