"""A wire between the simulation and the others that a test can cut: passes one topic's messages on, unread.

python relay.py TYPE FROM TO, for example sensor_msgs/JointState sim/joint_states joint_states

From SIGUSR1 on until the next one it says the last message again and again, with the stamps of those that come: as a
driver does that hangs behind a living publisher.
"""

from __future__ import annotations

import importlib
import signal
import sys

from rclpy.node import Node
from rclpy.serialization import deserialize_message

from frs_steering.nodes.qos import SENSOR
from frs_steering.nodes.runtime import run


class Relay(Node):
    """Passes messages on."""

    def __init__(self, kind: str, source: str, target: str) -> None:
        super().__init__(f"relay_of_{target.replace('/', '_')}")
        package, name = kind.split("/")
        self._kind = getattr(importlib.import_module(f"{package}.msg"), name)
        self._last = b""
        self._repeats = False
        self._publisher = self.create_publisher(self._kind, target, SENSOR)
        self.create_subscription(self._kind, source, self._pass_on, SENSOR, raw=True)
        signal.signal(signal.SIGUSR1, self._toggle)

    def _pass_on(self, message: bytes) -> None:
        if not self._repeats:
            self._last = message
            self._publisher.publish(message)
            return
        again = deserialize_message(self._last, self._kind)
        again.header.stamp = deserialize_message(message, self._kind).header.stamp
        self._publisher.publish(again)

    def _toggle(self, *_: object) -> None:
        self._repeats = not self._repeats


if __name__ == "__main__":
    sys.exit(run(lambda: Relay(*sys.argv[1:4])))
