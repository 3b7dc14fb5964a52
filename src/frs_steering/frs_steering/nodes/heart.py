"""A beat for a node's executor that the wall clock can't hold up."""

from __future__ import annotations

import threading

from rclpy.node import Node


class Heart:
    """Wakes the executor of a node so many times a second, by the monotonic clock; its timers are then looked at.

    An executor waits in the middleware, and the Fast DDS that comes as a wheel waits by the wall clock: it was made for
    a glibc without `pthread_cond_clockwait`. When the wall clock is set back, a wait that has begun lasts as much
    longer, unless a message ends it, and no timer fires meanwhile (docs/safety.md).
    """

    def __init__(self, node: Node, period: float) -> None:
        """Begin to beat, every `period` s."""
        self._beat = node.create_guard_condition(lambda: None)
        self._period, self._over = period, threading.Event()
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End; to be called before the node is destroyed."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._period):
            self._beat.trigger()
