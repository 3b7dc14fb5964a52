"""Starts the processes of a graph without ros2 launch, keeps them running, and stops them."""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix

from frs_bringup.description import Process
from frs_bringup.supervised import Supervised

QUICK = 20.0
"""s; a node that ends sooner than this after its start has failed to start."""

ATTEMPTS = 3
"""So many failed starts in a row, and it is given up."""

STOP_SEQUENCE = ((signal.SIGINT, 2.0), (signal.SIGTERM, 2.0), (signal.SIGKILL, 2.0))
"""Signals of a stop, each with the s that are waited for the end."""

_TAIL = 5  # lines of a failed node that its obituary repeats

OnLine = Callable[[str, str], None]
"""Called with a node's name and a line of its output, from several threads."""


class StartError(RuntimeError):
    """A process can't be started at all; the message says what is missing."""


class Starter:
    """Keeps every process of a graph running until the whole is stopped.

    A process that ends is started again after its delay, as under ros2 launch. One that keeps failing right
    after its start ends the whole: nothing is gained by trying a wrong parameter for ever.
    """

    def __init__(self, processes: Sequence[Process], on_line: OnLine) -> None:
        """Find the executables.

        Raises:
            StartError: a package or an executable is not installed.
        """
        self._on_line = on_line
        self._commands = [(process, [str(find_executable(process)), *process.ros_arguments()]) for process in processes]
        self._children: dict[str, Supervised] = {}
        self._tails: dict[str, deque[str]] = {process.name: deque(maxlen=_TAIL) for process in processes}
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._over = threading.Event()
        self._killed = False
        self.failure = ""
        """Why the graph can't go on, in words; empty while it can."""

    def start(self) -> None:
        """Start all processes; returns at once."""
        for process, command in self._commands:
            thread = threading.Thread(target=self._keep, args=(process, command), name=process.name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def end(self) -> None:
        """Ask for the end: wait() returns. May be called from a signal handler."""
        self._over.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the graph is to end: end() was called, a process was given up, or the terminal's one ended.

        Returns:
            False where the time ran out first.
        """
        return self._over.wait(seconds)

    def stop(self) -> None:
        """End all processes, those that don't listen by force, and wait for it."""
        self._stopping.set()
        self._over.set()
        for number, grace in STOP_SEQUENCE:
            with self._lock:  # after this no keeper starts anything any more
                children = dict(self._children)
            deadline = time.monotonic() + grace
            for child in children.values():
                child.send(number)
            slow = [name for name, child in children.items() if not child.gone(deadline - time.monotonic())]
            if not slow:
                break
            for name in slow:
                self._on_line(name, f"frs: did not end within {grace:g} s of {number.name}")
        for thread in self._threads:
            thread.join()

    @property
    def killed(self) -> bool:
        """Whether a process was ended by SIGKILL: it then left its shared memory behind."""
        return self._killed

    def pid(self, name: str) -> int | None:
        """Process id of a node, None while it is not running."""
        with self._lock:
            child = self._children.get(name)
        return child.pid if child else None

    def _keep(self, process: Process, command: list[str]) -> None:
        failed = 0
        while True:
            begun = time.monotonic()
            status = self._run(process, command)
            if status is None:
                return
            if self._stopping.is_set():
                if status > 0:
                    self._on_line(process.name, f"frs: {in_words(status)} when it was stopped")
                return
            ending = f"{in_words(status)} after {time.monotonic() - begun:.1f} s"
            if process.terminal:
                self._give_up("" if status == 0 else f"{process.name} {ending}")
                return
            failed = failed + 1 if time.monotonic() - begun < QUICK else 0
            if failed == ATTEMPTS:
                said = "".join(f"\n  | {line}" for line in self._tails[process.name])
                self._give_up(
                    f"{process.name} failed {ATTEMPTS} times in a row within {QUICK:g} s of its start; "
                    f"the last time it {ending} and had said:{said or ' nothing'}"
                )
                return
            self._on_line(process.name, f"frs: {ending}; it is started again in {process.respawn_delay:g} s")
            if self._stopping.wait(process.respawn_delay):
                return

    def _run(self, process: Process, command: list[str]) -> int | None:
        """Run it once; returns its status, or None where it was not to be, or could not be, started."""
        tail = self._tails[process.name]
        tail.clear()

        def on_line(line: str) -> None:
            tail.append(line)
            self._on_line(process.name, line)

        with self._lock:
            if self._stopping.is_set():
                return None
            try:
                child = Supervised(command, on_line, terminal=process.terminal)
            except OSError as error:
                self._give_up(f"{process.name} can't be started: {error}")
                return None
            self._children[process.name] = child
        status = child.wait()
        with self._lock:
            del self._children[process.name]
        self._killed |= status == -signal.SIGKILL
        return status

    def _give_up(self, why: str) -> None:
        self.failure = self.failure or why
        self._over.set()


def find_executable(process: Process) -> Path:
    """Where a process's executable is installed, as `ros2 run` would find it.

    Raises:
        StartError: its package or the executable is not installed.
    """
    try:
        prefix = Path(get_package_prefix(process.package))
    except PackageNotFoundError as error:
        raise StartError(
            f"package {process.package!r} of node {process.name!r} is not installed; "
            "build the workspace with colcon and source its setup.bash"
        ) from error
    path = prefix / "lib" / process.package / process.executable
    if not path.is_file():
        raise StartError(f"{path} of node {process.name!r} does not exist; build package {process.package!r} anew")
    return path


def in_words(status: int) -> str:
    """How a process ended, from its status: "ended with status 1", "was ended by SIGKILL"."""
    return f"ended with status {status}" if status >= 0 else f"was ended by {signal.Signals(-status).name}"
