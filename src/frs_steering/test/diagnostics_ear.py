"""Ears for `/diagnostics` in the tests: what each part of each node said, in order."""

from __future__ import annotations

import threading
from collections import defaultdict

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node

from frs_steering.health.report import Level


class DiagnosticsEar:
    """Listens on a node that somebody else spins."""

    def __init__(self, node: Node) -> None:
        self.said: defaultdict[str, list[DiagnosticStatus]] = defaultdict(list)
        self._changed = threading.Condition()
        node.create_subscription(DiagnosticArray, "/diagnostics", self._on_array, 100)

    def _on_array(self, msg: DiagnosticArray) -> None:
        with self._changed:
            for status in msg.status:
                self.said[status.name].append(status)
            self._changed.notify_all()

    def until(self, name: str, level: Level, words: str = "", seconds: float = 20.0) -> None:
        """Wait until the last status of a part has this level, and these words in its message."""

        def says() -> bool:
            last = self.said[name][-1] if name in self.said else None
            return last is not None and last.level == bytes([level]) and words in last.message

        with self._changed:
            if not self._changed.wait_for(says, seconds):
                raise AssertionError(f"not within {seconds} s: {name} {level.name} {words!r}; {self._last_words(name)}")

    def values(self, name: str) -> dict[str, str]:
        """The last figures of a part."""
        return {pair.key: pair.value for pair in self.said[name][-1].values}

    def _last_words(self, name: str) -> str:
        return str(self.said[name][-1]) if name in self.said else f"nothing; there are {sorted(self.said)}"
