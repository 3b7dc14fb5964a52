"""Who else publishes on a topic that moves the arm: what does so goes past the gate."""

from __future__ import annotations

import math
import time

from rclpy.node import Node

PATIENCE = 25.0
"""s for which a second publisher of the same name is taken for one that was killed and started again: the middleware
remembers the dead for 10 s (frs_shm.xml), by its own default for 20 s."""


UNNAMED = "_NODE_NAME_UNKNOWN_"
"""What the middleware calls a node of which it has heard no more than its publisher: its name comes a moment later."""


RECENT = 1.0
"""s for which a command of somebody else's is told of."""


CONTROLLER = "arm_controller"
"""The node whose commands have passed the gate."""


class Rivals:
    """Watches the publishers of a topic. A look takes 0.1 ms."""

    def __init__(self, node: Node, topic: str) -> None:
        """Begin; `topic` is the full name, as a publisher or a subscription has it."""
        self._node, self._topic = node, topic
        self._twins_since: float | None = None
        self._overheard_at = -math.inf

    def overhear(self) -> None:
        """Take note that a command came that this node has not sent. The dead send none: somebody else lives."""
        self._overheard_at = time.monotonic()

    def stranger(self) -> str:
        """Why a lone publisher is not to be followed, in words; empty where it is the controller, or nobody is there.

        A name is no proof: who calls a node arm_controller passes. It keeps out what was not meant to drive the arm.
        """
        for end in self._node.get_publishers_info_by_topic(self._topic):
            if end.node_name != CONTROLLER:
                return f"{end.node_name} publishes on {self._topic}; only {CONTROLLER} has a gate and is followed"
        return ""

    def look(self) -> str:
        """Why commands on the topic can't be trusted, in words; empty where one node at most publishes there."""
        if time.monotonic() - self._overheard_at < RECENT:
            return (
                f"somebody else commands the arm on {self._topic}, past {self._node.get_name()}'s gate: end all but one"
            )
        if self._node.count_publishers(self._topic) < 2:
            self._twins_since = None
            return ""
        now = time.monotonic()
        ends = self._node.get_publishers_info_by_topic(self._topic)
        named = [end for end in ends if end.node_name != UNNAMED]
        names = sorted(f"{end.node_namespace.rstrip('/')}/{end.node_name}" for end in named)
        if len(set(names)) > 1:
            return f"{', '.join(names)} all publish on {self._topic}, past arm_controller's gate: end all but one"
        self._twins_since = now if self._twins_since is None else self._twins_since
        if len(names) > 1 and now - self._twins_since > PATIENCE:
            return f"{len(names)} nodes {names[0]} publish on {self._topic}: end all but one"
        return ""
