"""What every node's main does: start, spin, and stop cleanly within two seconds."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from frs_steering.nodes.entering import entering, join
from frs_steering.nodes.heart import beating
from frs_steering.nodes.leaving import abandon, ended_in_time, leave

SPIN_SLICE = 0.1  # s; how soon a signal is seen
BEHIND = 10
"""Niceness of a process that only watches, records or advises: the arm, the policy and the decisions come first."""
REALTIME = 10
"""SCHED_FIFO priority of what the arm's next chunk waits for: without it a decision waits for a core at every hop, and
niceness changes little of that (docs/decisions.md)."""

_ENDING = (signal.SIGINT, signal.SIGTERM)


class Parted(Protocol):
    """A node whose work may take long, and which has handed what must not wait to nodes beside it."""

    side_nodes: Sequence[Node]
    """Each is spun in a thread of its own, from start to stop, and destroyed with the node."""


class Closable(Protocol):
    """A node that makes itself safe before it goes, e.g. holds the arm or closes a file."""

    def close(self) -> None:
        """Make safe; called once, while publishers still work."""


def side_node(owner: Node, suffix: str, **more: Any) -> Node:
    """A node `<owner>_<suffix>` for `side_nodes`: no log topic and no parameter services of its own.

    `more` goes to the node's constructor.
    """
    name = f"{owner.get_name()}_{suffix}"
    return Node(
        name,
        cli_args=["--ros-args", "-r", f"__node:={name}"],  # or a global __node remap would rename both alike
        enable_rosout=False,
        start_parameter_services=False,
        **more,
    )


def run(
    make_node: Callable[[], Node], argv: list[str] | None = None, *, behind: bool = False, realtime: bool = False
) -> int:
    """Build a node, spin it until SIGINT or SIGTERM, let it make itself safe, and return an exit status.

    The signal handlers are ours, not rclpy's: rclpy's shut the context down at once, and a node could
    not publish its last words (the arm's hold). `spin()` itself can miss a signal, hence the loop.
    A node whose constructor raises, or finds no sense in its arguments, ends with status 1 and one line on stderr; one
    that fails later with status 1 and a stack, after it has made itself safe.
    Nodes in the attribute `side_nodes` (see Parted) are spun in threads of their own meanwhile.
    A process that runs `behind` yields to the others where all want to run at once, as at every control step.
    A `realtime` process comes before all of them, where the user has the right to that (docs/hardware.md).
    """
    if behind:
        os.nice(BEHIND)  # before the middleware starts its threads, which inherit it
    stop = threading.Event()
    for number in _ENDING:
        signal.signal(number, lambda *_: stop.set())
    try:
        with entering():
            join(argv)
            node = make_node()
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
        abandon(error)
        return 1
    if realtime and not _take_realtime():  # after the node's start, which may take seconds of a core
        node.get_logger().info("no right to real-time priority: decisions may wait for a core (docs/hardware.md)")
    gc.collect()
    gc.freeze()  # what was made so far stays; to walk through all of it again takes 10 to 100 ms, now and then
    beside = [_OwnThread(side_node, stop) for side_node in getattr(node, "side_nodes", ())]
    failed = [_told(lambda: _spin(node, stop))]
    stop.set()
    for thread in beside:
        thread.join()
        failed.append(thread.failed)
    if hasattr(node, "close"):
        failed.append(_told(node.close))
    with ended_in_time(status=1):
        leave(node, *(thread.node for thread in beside))
    return int(any(failed))


def _told(work: Callable[[], None]) -> bool:
    """Whether it failed; how is printed at once, for the process may end in leaving the graph."""
    try:
        work()
    except Exception:
        traceback.print_exc()
        sys.stderr.flush()
        return True
    return False


@contextlib.contextmanager
def ended_at_once() -> Iterator[None]:
    """Let SIGINT and SIGTERM end the process while a node's constructor waits for somebody, before anything moves.

    `run` looks at its signals only between two callbacks, and a library's call may last a minute.
    """
    before = {number: signal.signal(number, signal.SIG_DFL) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _take_realtime() -> bool:
    """Give all threads of this process SCHED_FIFO, but those that have chosen for themselves; False if not allowed."""
    for thread in map(int, os.listdir("/proc/self/task")):  # threads that start later inherit it
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            try:
                if os.sched_getscheduler(thread) == os.SCHED_OTHER:
                    os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(REALTIME))
            except PermissionError:
                return False
    return True


def _spin(node: Node, stop: threading.Event) -> None:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        with beating(executor):
            while rclpy.ok() and not stop.is_set():
                executor.spin_once(timeout_sec=SPIN_SLICE)
    finally:
        executor.shutdown()


class _OwnThread(threading.Thread):
    """Spins one node; an error in it stops the whole process, for half a node is worse than none."""

    def __init__(self, node: Node, stop: threading.Event) -> None:
        super().__init__(name=node.get_name(), daemon=True)
        self.failed = False
        self.node, self._stop_event = node, stop
        self.start()

    def run(self) -> None:
        self.failed = _told(lambda: _spin(self.node, self._stop_event))
        self._stop_event.set()
