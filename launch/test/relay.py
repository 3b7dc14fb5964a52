"""A wire between the simulation and the others that a test can cut: passes one topic's messages on, unread.

python relay.py TYPE FROM TO, for example sensor_msgs/JointState sim/joint_states joint_states
"""

from __future__ import annotations

import importlib
import sys

from rclpy.node import Node

from frs_steering.nodes.qos import SENSOR
from frs_steering.nodes.runtime import run


class Relay(Node):
    """Passes messages on."""

    def __init__(self, kind: str, source: str, target: str) -> None:
        super().__init__(f"relay_of_{target.replace('/', '_')}")
        package, name = kind.split("/")
        message = getattr(importlib.import_module(f"{package}.msg"), name)
        publisher = self.create_publisher(message, target, SENSOR)
        self.create_subscription(message, source, publisher.publish, SENSOR, raw=True)


if __name__ == "__main__":
    sys.exit(run(lambda: Relay(*sys.argv[1:4])))
