"""Tests of frs_bringup.starter with real processes and real signals."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from frs_bringup import starter as starter_module
from frs_bringup.description import Process
from frs_bringup.starter import Starter, StartError, in_words

MakeExecutable = Callable[[str, str, str], None]

# Say who one is, then wait for a signal and say so.
POLITE = """#!/bin/bash
trap 'echo bye; exit 0' INT
echo "pid $$ $*"
while :; do read -r -t 0.2 <> <(:); done
"""
# Neither INT nor TERM ends it.
STUBBORN = """#!/bin/bash
trap 'echo no' INT TERM
echo "pid $$"
while :; do read -r -t 0.2 <> <(:); done
"""


def process(name: str, respawn_delay: float = 0.0, *, terminal: bool = False) -> Process:
    return Process("test_package", name, name, "/", "info", (), {}, {}, respawn_delay, terminal)


class Output:
    """Collects what the nodes say; awaits a line."""

    def __init__(self) -> None:
        self.lines: defaultdict[str, queue.Queue[str]] = defaultdict(queue.Queue)

    def __call__(self, name: str, line: str) -> None:
        self.lines[name].put(line)

    def expect(self, name: str, beginning: str) -> str:
        """The rest of the next line of that node that begins so; fails after 10 s."""
        deadline = time.monotonic() + 10.0
        seen: list[str] = []
        while True:
            try:
                line = self.lines[name].get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                pytest.fail(f"{name} did not say {beginning!r}; there was: {seen}")
            seen.append(line)
            if line.startswith(beginning):
                return line.removeprefix(beginning)


@pytest.fixture
def output() -> Output:
    return Output()


@contextlib.contextmanager
def running(output: Output, *processes: Process) -> Iterator[Starter]:
    starter = Starter(processes, output)
    starter.start()
    try:
        yield starter
    finally:
        starter.stop()


def is_running(pid: int) -> bool:
    """Whether it runs; an orphan that nobody has reaped yet does not."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def test_starts_with_ros_arguments_and_stops_by_sigint(make_executable: MakeExecutable, output: Output) -> None:
    make_executable("test_package", "polite", POLITE)
    with running(output, process("polite")) as starter:
        pid, arguments = output.expect("polite", "pid ").split(" ", 1)
        assert arguments == "--ros-args -r __node:=polite -r __ns:=/ --log-level polite:=info"
        assert int(pid) == starter.pid("polite") == os.getpgid(int(pid))
    output.expect("polite", "bye")
    assert not is_running(int(pid))
    assert not starter.killed
    assert not starter.failure


def test_a_stubborn_child_and_its_children_are_killed(
    make_executable: MakeExecutable, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        starter_module, "STOP_SEQUENCE", ((signal.SIGINT, 0.3), (signal.SIGTERM, 0.3), (signal.SIGKILL, 5.0))
    )
    make_executable("test_package", "stubborn", STUBBORN.replace("while", 'sleep 1000 & echo "child $!"\nwhile', 1))
    make_executable("test_package", "polite", POLITE)
    with running(output, process("stubborn"), process("polite")) as starter:
        pid = int(output.expect("stubborn", "pid "))
        child = int(output.expect("stubborn", "child "))
        begun = time.monotonic()
    assert time.monotonic() - begun < 3.0
    output.expect("stubborn", "frs: did not end within 0.3 s of SIGINT")
    output.expect("stubborn", "frs: did not end within 0.3 s of SIGTERM")
    assert not is_running(pid)
    assert not is_running(child)
    assert starter.killed


def test_a_killed_child_is_started_again(make_executable: MakeExecutable, output: Output) -> None:
    make_executable("test_package", "polite", POLITE)
    make_executable("test_package", "other", POLITE)
    with running(output, process("polite", 0.05), process("other")) as starter:
        other = output.expect("other", "pid ")
        first = int(output.expect("polite", "pid ").split()[0])
        os.kill(first, signal.SIGKILL)
        output.expect("polite", "frs: was ended by SIGKILL after")
        second = int(output.expect("polite", "pid ").split()[0])
        assert second != first
        assert starter.pid("other") == int(other.split()[0])
        assert not starter.wait(0.0)


def test_what_keeps_failing_ends_the_whole(make_executable: MakeExecutable, output: Output) -> None:
    make_executable("test_package", "broken", "#!/bin/sh\necho error: parameter 'rate' is -1 >&2\nexit 1\n")
    make_executable("test_package", "polite", POLITE)
    with running(output, process("broken"), process("polite")) as starter:
        assert starter.wait(10.0)
    assert starter.failure.startswith("broken failed 3 times in a row within 20 s of its start")
    assert "ended with status 1" in starter.failure
    assert "error: parameter rate is -1" in starter.failure


def test_a_child_that_lived_long_enough_is_no_failed_start(
    make_executable: MakeExecutable, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starter_module, "QUICK", 0.0)
    make_executable("test_package", "brief", "#!/bin/sh\necho here\n")
    with running(output, process("brief")) as starter:
        for _ in range(starter_module.ATTEMPTS + 2):
            output.expect("brief", "here")
        assert not starter.wait(0.0)


def test_the_terminals_process_ends_the_whole(make_executable: MakeExecutable, output: Output) -> None:
    make_executable("test_package", "screen", "#!/bin/sh\nexit $STATUS\n")
    make_executable("test_package", "polite", POLITE)
    for status in (0, 3):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("STATUS", str(status))
            with running(output, process("polite"), process("screen", terminal=True)) as starter:
                assert starter.wait(10.0)
                assert starter.failure.startswith("screen ended with status 3") == (status == 3)


def test_the_terminals_process_stays_in_our_group(make_executable: MakeExecutable, output: Output) -> None:
    make_executable("test_package", "screen", "#!/bin/sh\nexec sleep 1000\n")
    with running(output, process("screen", terminal=True)) as starter:
        deadline = time.monotonic() + 10.0
        while (pid := starter.pid("screen")) is None:
            assert time.monotonic() < deadline
        assert os.getpgid(pid) == os.getpgrp()


def test_missing_packages_and_executables_are_named(make_executable: MakeExecutable, output: Output) -> None:
    with pytest.raises(StartError, match="package 'test_package' of node 'absent' is not installed; build"):
        Starter([process("absent")], output)
    make_executable("test_package", "polite", POLITE)
    with pytest.raises(StartError, match="lib/test_package/absent of node 'absent' does not exist"):
        Starter([process("absent")], output)


def test_children_end_when_the_starter_is_killed(make_executable: MakeExecutable) -> None:
    make_executable("test_package", "polite", POLITE)
    program = (
        "from frs_bringup.starter import Starter; from frs_bringup.description import Process\n"
        "p = Process('test_package', 'polite', 'polite', '/', 'info', (), {}, {}, 0.0, False)\n"
        "s = Starter([p], lambda name, line: print(line, flush=True)); s.start(); s.wait()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline().split()[1])
        parent.kill()
    # The pipe was the starter's, so the child's end shows in /proc alone.
    deadline = time.monotonic() + 10.0
    while is_running(pid):
        assert time.monotonic() < deadline
        os.sched_yield()


def test_endings_in_words() -> None:
    assert in_words(2) == "ended with status 2"
    assert in_words(-9) == "was ended by SIGKILL"
