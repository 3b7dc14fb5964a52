"""The executable `teleop`: the operator's screen in this terminal, ROS in a thread beside it."""

from __future__ import annotations

import collections
import sys
import threading

from rclpy.executors import SingleThreadedExecutor

from frs_steering.nodes.entering import entering, join
from frs_steering.nodes.leaving import abandon, ended_in_time, leave
from frs_steering.nodes.runtime import SPIN_SLICE
from frs_teleop_cli.app import OperatorApp
from frs_teleop_cli.nodes.desk import Teleop
from frs_teleop_cli.terminal import is_terminal, own_terminal, stop_on_signals


def main(argv: list[str] | None = None) -> int:
    """Run the operator's terminal until `q`, a signal, or the episode's end; return an exit status."""
    if not is_terminal():
        print("error: teleop needs a terminal for its keys and screen (over SSH: ssh -t)", file=sys.stderr)
        return 1
    stop = threading.Event()
    stop_on_signals(stop)
    try:
        with entering():
            join(argv)
            node = Teleop(stop)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        abandon(error)
        return 1
    status = 1
    try:
        status = _operate(node, stop)
    finally:  # last of all: the terminal is as it was, should the graph hold the process
        with ended_in_time(status):
            leave(node)
    return status


def _operate(node: Teleop, stop: threading.Event) -> int:
    """Show the screen until it is closed; returns an exit status."""
    spinner = threading.Thread(target=_spin, args=(node, stop), name="ros")
    spinner.start()
    stray: collections.deque[str] = collections.deque(maxlen=200)

    def keep(line: str) -> None:
        stray.append(line)
        node.tell(line)

    try:
        with own_terminal(keep):
            app = OperatorApp(node)
            app.run(mouse=False)
    finally:
        stop.set()
        spinner.join()
    if app.return_code:
        print("\n".join(stray), file=sys.stderr)
        return 1
    if node.closing_words:
        print(node.closing_words)
    if node.view().stop_asked is not None:
        print("warning: the arm has not confirmed the stop", file=sys.stderr)
        return 1
    return 0


def _spin(node: Teleop, stop: threading.Event) -> None:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    while not stop.is_set():
        try:
            executor.spin_once(timeout_sec=SPIN_SLICE)
        except Exception as error:  # the screen and its stop key outlive a bad callback
            node.tell(f"{type(error).__name__}: {error}", bad=True)
            stop.wait(SPIN_SLICE)
    node.close(executor)
    executor.shutdown()


if __name__ == "__main__":
    sys.exit(main())
