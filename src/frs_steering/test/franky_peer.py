"""Simulators of the FR3 that speak libfranka's wire protocol, as processes: what the true driver connects to."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import fr3_model
import numpy as np
import pytest

from frs_steering.arm.backends.franky import FrankyArm, FrankyError

ACCELERATION = np.full(7, 8.0)
TURN = np.array([0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])  # rad/s
PATIENCE = 60.0  # s; on a busy machine a simulator is many times slower than the time that it simulates


def lacks(*modules: str) -> bool:
    """Whether one of them can't be imported: they are asked for by these tests only."""
    return any(importlib.util.find_spec(module) is None for module in modules)


needed = pytest.mark.skipif(
    lacks("franky", "franky_sim", "pinocchio"),
    reason="needs franky-control, and franky-sim with its dependencies: docs/hardware.md",
)
"""For tests that drive it."""


LIMITED = os.environ.get("FRANKA_SIM_SERVER", "")
limited = pytest.mark.skipif(
    not LIMITED or lacks("franky"),
    reason="needs franky-control, and in FRANKA_SIM_SERVER the path of run-franka-sim-server: docs/hardware.md",
)
"""For tests that drive the simulator which holds the robot's own limits."""


class LimitedPeer:
    """franka-sim, which stops with a reflex where a limit of the robot is exceeded, on this machine's port 1337."""

    host = "127.0.0.1"

    def __init__(self, directory: Path) -> None:
        model = next(fr3_model.folder().rglob("fr3.xml")).read_text()
        meshes = next(fr3_model.folder().rglob("link0_coll.stl")).parent
        (directory / "fr3.xml").write_text(model.replace('meshdir="assets"', f'meshdir="{meshes}"'))
        own = {"FR3_MJCF": str(directory / "fr3.xml"), "PYTHONUNBUFFERED": "1"}
        env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | own
        words = [LIMITED, "--enforce-motion-limits", "--physics", "mujoco"]
        self._log = directory / "server.log"
        self._output = self._log.open("w")
        self._process = subprocess.Popen(words, stdout=self._output, stderr=subprocess.STDOUT, env=env)

    def runs(self) -> bool:
        """True; it may not listen yet.

        Raises:
            AssertionError: it has ended; with what it said last, as of a port that is taken.
        """
        assert self._process.poll() is None, self._log.read_text()[-500:]
        return True

    def kill(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._output.close()


def connected(peer: LimitedPeer) -> FrankyArm:
    """The driver, once the simulator listens."""
    made: list[FrankyArm] = []

    def is_connected() -> bool:
        try:
            made.append(FrankyArm(peer.host, ACCELERATION, realtime=False))
        except FrankyError:
            return not peer.runs()
        return True

    until(is_connected, "the simulator to listen")
    return made[0]


class FrankyPeer:
    """The simulator, on a loopback address of this process's own; it can be killed and started again."""

    def __init__(self) -> None:
        self.host = f"127.{os.getpid() % 250 + 2}.{os.getpid() // 250 % 250}.7"
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        """Start, and wait until it listens."""
        words = [sys.executable, "-u", "-m", "franky_sim.run_server", "-s", "mujoco", "--hostname", self.host]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert any("Connect to the server" in line for line in self._process.stdout), "the simulator has ended"

    def hang(self, hangs: bool) -> None:
        """Say nothing any longer, or go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if hangs else signal.SIGCONT)

    def kill(self) -> None:
        """End it without a word."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()


def until(condition: Callable[[], bool], what: str) -> None:
    """Look at a library that announces nothing."""
    pause, end = threading.Event(), time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not within {PATIENCE} s: {what}"
        pause.wait(0.02)


def speed(arm: FrankyArm) -> float:
    reading = arm.read()
    assert reading is not None
    return float(reading[1][0])


def drive(arm: FrankyArm, reached: Callable[[], bool], what: str) -> None:
    """Send velocities 15 times a second until something is reached."""
    pause, end = threading.Event(), time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end, f"not within {PATIENCE} s: {what}; {arm.error()}"
        arm.send(TURN)
        pause.wait(1 / 15)
