"""What all tests share: a ROS domain of their own, the DDS profile of the stack, and processes that surely end.

Each pytest process (each worker of pytest-xdist is one) claims a ROS domain before rclpy is imported, so that
parallel tests, and a demo that runs beside them, never hear each other.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from rclpy.node import Node

# With other work on the machine two threads wait for each other at every step of a training, for minutes in all: here,
# and in the processes that tests start. Set before anything, such as a package's conftest, imports torch.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent
DDS_PROFILE = ROOT / "launch" / "config" / "frs_shm.xml"

ENDING = ((signal.SIGINT, 4.0), (signal.SIGTERM, 2.0), (signal.SIGKILL, 2.0))
"""How a process is made to end: the signal, and the seconds it then has before the next one."""

_SHOWN_OUTPUT = 4000
"""Characters of a process's output that a failed test's report shows, from its end."""

_domain_lock: socket.socket
"""Holds this process's ROS domain; the kernel frees it however the process ends."""

# Two busy cores make single examples slow at random: a deadline would only tell how loaded the machine is.
hypothesis.settings.register_profile("frs", deadline=None)
hypothesis.settings.load_profile("frs")


def pytest_configure() -> None:
    """Choose the ROS domain and the transport, before anything imports rclpy."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell's background job ignores SIGINT, and so would all processes that the tests end by it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    missing = [name for name in ("rclpy", "frs_msgs", "frs_bringup") if find_spec(name) is None]
    if missing:
        raise pytest.UsageError(
            f"{', '.join(missing)} cannot be imported: build the workspace with `make setup`, "
            "then enter its environment with `source tools/env.sh`"
        )
    from frs_bringup.middleware import claim_domain

    global _domain_lock
    domain, _domain_lock = claim_domain()
    os.environ["ROS_DOMAIN_ID"] = str(domain)
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    os.environ["FASTDDS_DEFAULT_PROFILES_FILE"] = str(DDS_PROFILE)
    os.environ.setdefault("MUJOCO_GL", "egl")
    if find_spec("triton") is not None:  # torch's compiler; torch for CPUs comes without
        # Its LLVM crashes where Mesa's was loaded before, and tests that draw come before tests that train.
        importlib.import_module("triton")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that talk over DDS or start processes of the stack: what they time wants the machine alone."""
    for item in items:
        if {"ros", "procs"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("nodes")


@pytest.fixture
def ros(procs: Callable[..., Process]) -> Iterator[ModuleType]:
    """rclpy, initialised in this worker's domain; it leaves before the processes that the test started end.

    Fast DDS can lock up in a process that stays while another leaves (frs_steering/nodes/leaving.py), and then that one
    now and then finds no service, hears nothing, or never ends. So a test sees no more of others' ends than it asks
    for.
    """
    import rclpy

    rclpy.init()
    yield rclpy
    rclpy.try_shutdown()
    gc.collect()  # what was not destroyed would stay in the graph


@pytest.fixture
def node(ros: ModuleType) -> Iterator[Node]:
    """A node named `tester` for publishing, listening and calling."""
    tester = ros.create_node("tester")
    yield tester
    tester.destroy_node()


class Process(subprocess.Popen[str]):
    """A process that a test started: a Popen in a process group of its own, whose output goes to a file.

    Attributes:
        name: that of its executable.
        output: the file with its stdout and stderr.
    """

    def __init__(self, command: tuple[str, ...], output: Path, **options: Any) -> None:
        self.output = output
        self.name = Path(command[0]).name
        with output.open("w") as file:
            super().__init__(
                command, stdout=file, stderr=subprocess.STDOUT, text=True, start_new_session=True, **options
            )

    def text(self) -> str:
        """What the process has printed so far (stdout and stderr)."""
        return self.output.read_text(errors="replace")

    def wait_for_text(self, wanted: str, timeout: float = 20.0) -> str:
        """Wait until the process has printed `wanted`.

        Returns:
            All it has printed so far.

        Raises:
            AssertionError: it ended, or `timeout` seconds passed, before that.
        """
        end = time.monotonic() + timeout
        while True:
            ended = self.poll() is not None
            text = self.text()
            if wanted in text:
                return text
            if ended or time.monotonic() > end:
                state = f"ended with {self.returncode}" if ended else f"runs, {timeout} s later"
                raise AssertionError(f"{self.name} was to print {wanted!r}, but {state}. It has printed:\n{text}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.wait(0.02)

    def signal_group(self, number: int) -> None:
        """Send a signal to the process and to those it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)


@pytest.fixture
def procs(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Process]]:
    """Starts processes, and ends those that still run when the test is over: INT, then TERM, then KILL.

    `procs(*command, env={...}, cwd=...)` returns a `Process`. `env` is added to the test's own environment: the ROS
    wheels set two variables at start that belong together, and a child must get both of them or neither.
    """
    started: list[Process] = []
    request.node.stash[_PROCESSES] = started

    def start(*command: str | Path, env: Mapping[str, str] | None = None, **options: Any) -> Process:
        words = tuple(map(str, command))
        output = tmp_path / f"{len(started)}-{Path(words[0]).name}.log"
        process = Process(words, output, env={**os.environ, **(env or {})}, **options)
        started.append(process)
        return process

    yield start
    for number, seconds in ENDING:
        running = [process for process in started if process.poll() is None]
        for process in running:
            process.signal_group(number)
        end = time.monotonic() + seconds
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, end - time.monotonic()))
    for process in started:
        process.signal_group(signal.SIGKILL)  # what a process left behind when it died
    if any(process.returncode == -signal.SIGKILL for process in started):
        from frs_bringup.middleware import clean_shared_memory

        clean_shared_memory()  # a killed node leaves 17 MB of it behind


_PROCESSES = pytest.StashKey[list[Process]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show in a failed test's report what the processes it started have printed."""
    report = yield
    if report.when == "call" and report.failed:
        for process in item.stash.get(_PROCESSES, []):
            report.sections.append((f"output of {process.name}", process.text()[-_SHOWN_OUTPUT:]))
    return report
