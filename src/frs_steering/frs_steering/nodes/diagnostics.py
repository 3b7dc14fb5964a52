"""Publishes how a node is on `/diagnostics`, as ROS's own tools expect it (REP 107)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy

from frs_steering.health.report import Health

TOPIC = "/diagnostics"
"""Absolute, whatever the node's namespace: aggregators and rqt_robot_monitor listen there."""
PERIOD = 1.0
"""Longest time between two messages [s]."""
LOOK_PERIOD = 0.1
"""s between two looks: how soon a change is told."""
NO_HARDWARE = "none"
"""Hardware id of what is only software, as diagnostic_updater has it."""

_RELIABLE = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.RELIABLE)


class Diagnostics:
    """Looks at each part of a node ten times a second; tells of all when one has changed, or PERIOD is over.

    A part's name on the topic is "NODE: PART", with the node's namespace in front where it has one.
    """

    def __init__(
        self,
        node: Node,
        parts: Mapping[str, Callable[[], Health]],
        *,
        hardware: str = NO_HARDWARE,
        on: Node | None = None,
    ) -> None:
        """Begin.

        Args:
            node: whose parts they are; its clock stamps the messages.
            parts: by name; each is called on the executor of `on` and must not wait.
            hardware: its hardware's id.
            on: a node beside it whose executor is free when that of `node` is busy; `node` itself by default.
        """
        spun = on or node
        self._clock, self._parts, self._hardware = node.get_clock(), dict(parts), hardware
        self._name = node.get_fully_qualified_name().lstrip("/")
        self._publisher = spun.create_publisher(DiagnosticArray, TOPIC, _RELIABLE)
        self._told: list[tuple[int, str]] = []
        self._told_at = -math.inf
        # By the steady clock, so that it goes on however the wall clock or simulated time jumps.
        spun.create_timer(LOOK_PERIOD, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _look(self) -> None:
        found = {part: look() for part, look in self._parts.items()}
        said = [(int(health.level), health.message) for health in found.values()]
        now = time.monotonic()
        if said == self._told and now - self._told_at < PERIOD:
            return
        self._told, self._told_at = said, now
        msg = DiagnosticArray(status=[self._status(part, health) for part, health in found.items()])
        msg.header.stamp = self._clock.now().to_msg()
        self._publisher.publish(msg)

    def _status(self, part: str, health: Health) -> DiagnosticStatus:
        return DiagnosticStatus(
            level=bytes([health.level]),  # rclpy has a message's byte as bytes
            name=f"{self._name}: {part}",
            message=health.message,
            hardware_id=self._hardware,
            values=[KeyValue(key=key, value=value) for key, value in health.values.items()],
        )
