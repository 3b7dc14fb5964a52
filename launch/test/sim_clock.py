"""A simulated time that a test can turn: /clock at 50 Hz, from a thread and a node of its own."""

from __future__ import annotations

import threading
import time

from rclpy.node import Node
from rosgraph_msgs.msg import Clock

PERIOD = 0.02  # s


class SimClock:
    """Seconds since the epoch, and how many seconds ahead they are set."""

    def __init__(self, node: Node) -> None:
        self._publisher = node.create_publisher(Clock, "/clock", 1)
        self._ahead = 0.0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def set_ahead(self, seconds: float) -> None:
        """Turn the clock."""
        self._ahead = seconds

    def now(self) -> float:
        """What it says [s]."""
        return time.time() + self._ahead

    def close(self) -> None:
        """Say nothing more."""
        self._ends.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ends.wait(PERIOD):
            message, now = Clock(), self.now()
            message.clock.sec, message.clock.nanosec = int(now), int(now % 1.0 * 1e9)
            self._publisher.publish(message)
