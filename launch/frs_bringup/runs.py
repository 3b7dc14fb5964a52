"""What commands in a graph have in common: a directory for what they leave, when they have to end, and how."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from frs_bringup.starter import Starter


class RunError(RuntimeError):
    """The run can't go on; the message says why."""


class Interrupted(Exception):
    """A signal asks for the end."""


def left_at_last(run: Callable[[ExitStack], int]) -> int:
    """Run a command, and leave the graph when all else is done.

    To leave may take for ever (frs_steering/nodes/leaving.py). Whatever the command has to do, print and return comes
    before, and holds then, too.

    Args:
        run: does all that; gives what leaves the graph to the stack, and returns the exit status.
    """
    leaving, status = ExitStack(), 1
    try:
        status = run(leaving)
    except Exception:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        if "frs_steering.nodes.leaving" in sys.modules:  # which loads ROS; without it nobody has joined a graph
            from frs_steering.nodes.leaving import ended_in_time

            with ended_in_time(status):
                leaving.close()
    return status


def new_directory(out: Path) -> Path:
    """Make OUT/STAMP, of the present second.

    Raises:
        RunError: there are too many of that second.
        OSError: it can't be made.
    """
    stamp = time.strftime("%Y-%m-%d_%H-%M-%S")
    for suffix in ("", *(f"_{i}" for i in range(2, 100))):
        directory = out.absolute() / f"{stamp}{suffix}"
        try:
            directory.mkdir(parents=True)
        except FileExistsError:
            continue
        return directory
    raise RunError(f"{out} has too many runs of {stamp}")


def checks(graph: Starter, signals: Sequence[int], beside: Starter | None = None) -> Callable[[], None]:
    """A function that raises when the run has to end.

    Args:
        graph: keeps the nodes running.
        signals: those that came.
        beside: keeps further ones running, now and then.

    Raises:
        Interrupted: a signal came.
        RunError: a node can't be kept running, or the graph has ended.
    """

    def check() -> None:
        if signals:
            raise Interrupted
        failure = graph.failure or (beside.failure if beside is not None else "")
        if failure:
            raise RunError(failure)
        if graph.wait(0.0):
            raise RunError("the operator's screen was closed before the episode ended")

    return check


def shown(path: Path) -> str:
    """A path as it is told to the user."""
    return os.path.relpath(path)
