"""The process of a stand-in that obeys the lines on its standard input, and says when it has."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable
from typing import Any, Protocol


class Obeys(Protocol):
    """What a line is given to."""

    def obey(self, line: str) -> None:
        """Do what it says."""


def serve(name: str, make: Callable[[Any], Obeys], shown: str) -> None:
    """Be a node of that name until standard input ends; `shown` is printed when it is there."""
    import rclpy
    from rclpy.executors import ExternalShutdownException

    rclpy.init()
    node = rclpy.create_node(name)
    peer = make(node)

    def listen() -> None:
        for number, line in enumerate(sys.stdin, 1):
            peer.obey(line)
            print(f"obeyed {number}", flush=True)
        rclpy.try_shutdown()

    threading.Thread(target=listen, daemon=True).start()
    print(shown, flush=True)
    with contextlib.suppress(ExternalShutdownException):
        rclpy.spin(node)
