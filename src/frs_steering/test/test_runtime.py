"""How a node's process ends, whatever the middleware does."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from frs_steering.nodes.runtime import LEAVE_TIME

# Its leaving never comes to an end, and keeps Python's lock meanwhile, as was seen of Fast DDS.
HANGING = """
import ctypes, sys
from rclpy.node import Node
from frs_steering.nodes.runtime import run

class Hanging(Node):
    def __init__(self):
        super().__init__("hanging")
        print("ready", flush=True)
    def close(self):
        print("safe", flush=True)
    def destroy_node(self):
        ctypes.PyDLL(None).sleep(60)

sys.exit(run(Hanging))
"""


def test_a_node_that_can_not_leave_the_graph_is_ended_without_a_stack(procs: Callable[..., Any]) -> None:
    node = procs(sys.executable, "-c", HANGING)
    node.wait_for_text("ready")
    asked = time.monotonic()
    node.send_signal(signal.SIGINT)
    assert node.wait(10.0) == 1
    assert time.monotonic() - asked < LEAVE_TIME + 3.0
    assert node.text() == "ready\nsafe\n"
