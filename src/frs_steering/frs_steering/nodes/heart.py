"""A beat for an executor that the wall clock can't hold up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rclpy.executors import Executor

PERIOD = 0.1
"""s between two beats."""


@contextmanager
def beating(executor: Executor) -> Iterator[None]:
    """Wake an executor ten times a second, by the monotonic clock; its timers are then looked at.

    An executor waits in the middleware, and the Fast DDS that comes as a wheel waits by the wall clock: it was made for
    a glibc without `pthread_cond_clockwait`. When the wall clock is set back, a wait that has begun lasts as much
    longer, unless a message ends it, and no timer fires meanwhile (docs/safety.md).
    """
    over = threading.Event()

    def beat() -> None:
        while not over.wait(PERIOD):
            executor.wake()

    thread = threading.Thread(target=beat, name="heart", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
