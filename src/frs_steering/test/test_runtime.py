"""How a node's process ends, whatever the middleware does."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from frs_steering.nodes.leaving import LEAVE_TIME

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


HURRIED = """
import os, sys, threading
from rclpy.node import Node
from frs_steering.nodes.runtime import run

class Hurried(Node):
    def __init__(self):
        super().__init__("hurried")
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        self.create_timer(0.01, self.tell)
    def tell(self):
        policies = [os.sched_getscheduler(int(thread)) for thread in os.listdir("/proc/self/task")]
        print("policies", sorted(set(policies)), "of several:", len(policies) > 1, flush=True)

sys.exit(run(Hurried, realtime=True))
"""


# Its constructor finds something wrong when half of it is in the graph already, which then can not be left.
FAILING = """
import ctypes, sys, weakref
from rclpy.node import Node
from frs_steering.nodes.runtime import run

class Failing(Node):
    def __init__(self):
        super().__init__("failing")
        weakref.finalize(self, ctypes.PyDLL(None).sleep, 60)
        raise ValueError("parameter 'speed' is -1; it must be above 0")

sys.exit(run(Failing))
"""


CONNECTING = """
import sys, time
from rclpy.node import Node
from frs_steering.nodes.runtime import ended_at_once, run

class Connecting(Node):
    def __init__(self):
        super().__init__("connecting")
        with ended_at_once():
            print("connecting", flush=True)
            time.sleep(60)

sys.exit(run(Connecting))
"""


def _may_be_realtime() -> bool:
    asked = "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"
    return subprocess.run([sys.executable, "-c", asked], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _may_be_realtime(), reason="no right to real-time priority here")
def test_all_threads_of_what_drives_the_arm_are_realtime(procs: Callable[..., Any]) -> None:
    node = procs(sys.executable, "-c", HURRIED)
    node.wait_for_text(f"policies [{os.SCHED_FIFO}] of several: True")


def test_without_the_right_to_it_a_node_says_so_and_runs(procs: Callable[..., Any]) -> None:
    command = [sys.executable, "-c", HURRIED]
    if _may_be_realtime():
        if not shutil.which("setpriv"):
            pytest.skip("the right to real-time priority can't be given away here: there is no setpriv")
        command = ["setpriv", "--bounding-set=-sys_nice", *command]
    node = procs(*command)
    node.wait_for_text("no right to real-time priority")
    node.wait_for_text(f"policies [{os.SCHED_OTHER}] of several: True")


def test_a_node_that_can_not_leave_the_graph_is_ended_without_a_stack(procs: Callable[..., Any]) -> None:
    node = procs(sys.executable, "-c", HANGING)
    node.wait_for_text("ready")
    asked = time.monotonic()
    node.send_signal(signal.SIGINT)
    assert node.wait(10.0) == 1
    assert time.monotonic() - asked < LEAVE_TIME + 3.0
    assert node.text() == "ready\nsafe\n"


def test_a_node_that_fails_to_start_and_can_not_leave_the_graph_is_ended(procs: Callable[..., Any]) -> None:
    node = procs(sys.executable, "-c", FAILING)
    assert node.wait(20.0) == 1
    assert node.text() == "error: parameter 'speed' is -1; it must be above 0\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_node_that_still_connects_is_ended_by_a_signal(procs: Callable[..., Any], number: signal.Signals) -> None:
    node = procs(sys.executable, "-c", CONNECTING)
    node.wait_for_text("connecting")
    node.send_signal(number)
    assert node.wait(5.0) == -number


# Whatever comes of it, it makes itself safe, says what failed, and does not stay.
BREAKING = """
import ctypes, sys
from rclpy.node import Node
from frs_steering.nodes.runtime import run

class Breaking(Node):
    def __init__(self):
        super().__init__("breaking")
        self.create_timer(0.01, self.work)
    def work(self):
        raise KeyError("no such tick")
    def close(self):
        raise OSError("the disk is gone")
    def destroy_node(self):
        ctypes.PyDLL(None).sleep(60)

sys.exit(run(Breaking))
"""


def test_a_node_that_fails_says_why_even_if_it_can_not_leave_the_graph(procs: Callable[..., Any]) -> None:
    node = procs(sys.executable, "-c", BREAKING)
    assert node.wait(20.0) == 1
    assert node.text().index("KeyError: 'no such tick'") < node.text().index("OSError: the disk is gone")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--params-file", "/nowhere.yaml"], "Couldn't parse params file: '--params-file /nowhere.yaml'"),
        (["-r", "__ns:=a-b"], "Couldn't parse remap rule: '-r __ns:=a-b'"),
        (["foo"], "['foo']"),
    ],
)
def test_arguments_that_are_none_are_told_in_a_line(procs: Callable[..., Any], words: list[str], message: str) -> None:
    node = procs(sys.executable, "-c", HANGING.replace("run(Hanging)", "run(Hanging, sys.argv)"), "--ros-args", *words)
    assert node.wait(20.0) == 1
    line = node.text().splitlines()[-1]  # rcl's own log comes before
    assert line.startswith("error: ROS can't be started with these arguments: ") and message in line
    assert "Traceback" not in node.text()
