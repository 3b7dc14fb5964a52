"""The terminal is kept from stray output and given back as it was, whatever happens."""

import sys

import pytest
from terminal_process import TerminalProcess

SCRIPT = """
import os, sys, termios, threading, time
from frs_teleop_cli.terminal import own_terminal, stop_on_signals
lines = []
try:
    with own_terminal(lines.append):
        mode = termios.tcgetattr(0)
        mode[3] &= ~termios.ECHO
        termios.tcsetattr(0, termios.TCSANOW, mode)
        os.write(2, b"stray from C\\n")
        print("stray from Python")
        sys.__stderr__.write("SCREEN")
        raise KeyError("broken")
except KeyError as error:
    print("raised", error, sorted(lines))
"""

STUCK = """
import sys, threading, time
from frs_teleop_cli.terminal import stop_on_signals
stop_on_signals(threading.Event())
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def start():
    started = []

    def begin(*command):
        started.append(TerminalProcess(*command))
        return started[-1]

    yield begin
    for process in started:
        process.close()


def test_stray_output_is_caught_and_everything_restored_after_an_exception(start):
    terminal = start(sys.executable, "-c", SCRIPT)
    status, _ = terminal.end(timeout=20)
    terminal.wait_for("raised 'broken' ['stray from C', 'stray from Python']")
    assert status == 0
    assert terminal.drawn.startswith("SCREEN")
    assert terminal.restored()


def test_process_that_hangs_is_ended_within_two_seconds(start):
    terminal = start(sys.executable, "-c", STUCK)
    terminal.wait_for("ready")
    status, seconds = terminal.end(15)
    assert status == 1
    assert seconds < 2.0
    terminal.wait_for("\x1b[?1049l")
