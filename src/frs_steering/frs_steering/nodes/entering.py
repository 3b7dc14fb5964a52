"""Entering the graph beside the ports that killed processes left behind, so that whoever starts again is heard."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

import rclpy
from rclpy.context import Context
from rclpy.signals import SignalHandlerOptions

SHARED_MEMORY = Path("/dev/shm")
PORT_LOCKS = "fastdds_port*_el"
"""A participant of Fast DDS listens at a port in shared memory, and holds a lock on a file of this name while it
lives (`RobustExclusiveLock.hpp` there). Other middlewares leave no such files."""

OLD = 1.0
"""s; the file of a younger port may be unlocked because its owner is about to lock it."""


@contextlib.contextmanager
def entering(locks: Path = SHARED_MEMORY) -> Iterator[None]:
    """Let no participant created in the block take over a port of the dead; `join` and a node belong in it.

    A restarted process would get the port of the killed one, under which those who stay still have that one's queue in
    their memory. They fill it until they find that nobody reads (1 to 2.5 s), and where the killed one was caught
    between two steps of its reading they never find it: the new process is deaf for good, while all hear it. Fast DDS
    passes by ports that are locked, so we lock them meanwhile.

    Args:
        locks: the directory of the lock files.
    """
    with contextlib.ExitStack() as held:
        for path in locks.glob(PORT_LOCKS):
            with contextlib.suppress(OSError):  # it is gone, another user's, or its owner lives
                if abs(time.time() - path.stat().st_mtime) >= OLD:  # also where the clock was set back
                    _lock(path, held)
        yield


def join(argv: list[str] | None, context: Context | None = None) -> None:
    """Start rclpy (`context`: None for its default one) without its signal handlers, which shut it down at once.

    Raises:
        ValueError: the ROS arguments in `argv` (None: the command's own) make no sense.
    """
    try:
        rclpy.init(args=argv, context=context, signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as error:  # of the C library's wrapper, which has no public classes
        raise ValueError(f"ROS can't be started with these arguments: {error}") from error


def _lock(path: Path, held: contextlib.ExitStack) -> None:
    """Hold the file's lock until `held` closes; raises BlockingIOError if somebody else has it."""
    with contextlib.ExitStack() as opened:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        opened.callback(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held.push(opened.pop_all())
