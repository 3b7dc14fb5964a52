"""Tests of `frs up`: the command itself, in a process of its own, on small executables in place of the nodes."""

from __future__ import annotations

import os
import pty
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from frs_bringup.description_file import load
from frs_bringup.places import config_directory

FRS = (sys.executable, "-m", "frs_bringup.cli")

# Makes the terminal deaf, as a screen does, and dies with it in that state.
SCREEN = """#!/bin/bash
stty -echo
echo "your key?"
read -r key
echo "key $key, tty $(tty)"
"""

MakeExecutable = Callable[[str, str, str], None]


@pytest.mark.usefixtures("waiting_nodes")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_runs_until_a_signal_and_ends_cleanly(procs: Callable[..., Any], number: signal.Signals) -> None:
    up = procs(*FRS, "up", "sim", "operator:=none")
    names = {node.name for node in load("sim", config_directory()).nodes if not node.when}
    for name in names:
        up.wait_for_text(f"[{name}]")
    up.send_signal(number)
    assert up.wait(10.0) == 0
    assert "[sim]            bye" in up.text()
    assert up.text().count("bye") == len(names)
    assert "\x1b" not in up.text()  # no colours where there is no terminal


@pytest.mark.usefixtures("waiting_nodes")
def test_sets_the_profile_unless_the_user_has(procs: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FASTDDS_DEFAULT_PROFILES_FILE")
    up = procs(*FRS, "up", "sim", "operator:=none")
    text = up.wait_for_text(f"profile {config_directory()}/frs_shm.xml")
    assert f"domain {os.environ['ROS_DOMAIN_ID']}" in text
    words = ("up", "sim", "operator:=none", "namespace:=lab")  # a graph of its own, beside the first
    mine = procs(*FRS, *words, env={"FASTDDS_DEFAULT_PROFILES_FILE": "mine.xml"})
    mine.wait_for_text("profile mine.xml")


@pytest.mark.usefixtures("waiting_nodes")
def test_a_second_graph_in_the_same_domain_is_refused(procs: Callable[..., Any]) -> None:
    first = procs(*FRS, "up", "sim", "operator:=none")
    domain = os.environ["ROS_DOMAIN_ID"]
    first.wait_for_text(f"starting 8 nodes in ROS domain {domain}; Ctrl-C stops them\n")
    for words in (("up", "sim"), ("demo",)):
        second = procs(*FRS, *words)
        assert second.wait(20.0) == 1
        assert second.text().startswith(f"error: another frs runs a graph in ROS domain {domain}: end it, or")
        assert len(second.text().splitlines()) == 1
    first.send_signal(signal.SIGINT)
    assert first.wait(10.0) == 0
    again = procs(*FRS, "up", "sim", "operator:=none")
    again.wait_for_text("[sim]")


@pytest.mark.usefixtures("waiting_nodes")
def test_a_node_that_can_not_start_ends_it_with_its_words(
    procs: Callable[..., Any], make_executable: MakeExecutable
) -> None:
    make_executable("frs_sim", "sim", "#!/bin/sh\necho error: no task is called eggs\nexit 1\n")
    up = procs(*FRS, "up", "sim")
    assert up.wait(20.0) == 1
    assert "error: sim failed 3 times in a row" in up.text()
    assert "  | error: no task is called eggs" in up.text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sims"], "error: no configuration is called 'sims'"),
        (["sim", "operator:=me"], "error: argument 'operator' is 'me'; it must be one of: scripted, keyboard, none"),
        (["sim", "seed"], "error: 'seed' is no argument; write name:=value"),
        (["sim", "task:=fly"], "error: argument 'task' is 'fly'; it must be one of: egg_on_plate, "),
        (["sim", "seed:=-4"], "error: argument 'seed' is '-4'; it must be from 0 to "),
        (["sim", "namespace:=9bad"], "error: namespace '/9bad' of node 'sim' is no ROS name; "),
    ],
)
def test_wrong_arguments_end_it_with_one_line(procs: Callable[..., Any], words: list[str], message: str) -> None:
    up = procs(*FRS, "up", *words)
    assert up.wait(20.0) == 2
    assert up.text().startswith(message)
    assert len(up.text().splitlines()) == 1


def test_shows_the_arguments(procs: Callable[..., Any]) -> None:
    up = procs(*FRS, "up", "sim", "--show-args")
    assert up.wait(20.0) == 0
    for name in load("sim", config_directory()).arguments:
        assert f"  {name}:=" in up.text()


@pytest.mark.usefixtures("waiting_nodes")
def test_the_operator_gets_the_terminal(
    make_executable: MakeExecutable, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    make_executable("frs_teleop_cli", "teleop", SCREEN)
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path / "log"))
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(FRS[0], [*FRS, "up", "sim", "operator:=keyboard"])
    said = read_until(terminal, b"your key?")
    until_all_have_begun(tmp_path / "log")  # before that a signal ends them without a word
    os.write(terminal, b"x\n")
    said += read_until(terminal, b"what the nodes said is in ")
    said += read_to_end(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert b"key x, tty /dev/pts/" in said
    assert b"bye" not in said  # the other nodes write to files
    (directory,) = (tmp_path / "log").iterdir()
    assert (directory / "sim.log").read_text().splitlines()[-1] == "bye"


def until_all_have_begun(logs: Path) -> None:
    end = time.monotonic() + 20.0
    names = [node.name for node in load("sim", config_directory()).nodes if not node.terminal and not node.when]
    while not all(any(log.stat().st_size for log in logs.glob(f"*/{name}.log")) for name in names):
        assert time.monotonic() < end, f"not all of {', '.join(names)} have said a word within 20 s"
        time.sleep(0.01)


def read_until(terminal: int, wanted: bytes) -> bytes:
    said = b""
    while wanted not in said:
        said += os.read(terminal, 4096)
    return said


def read_to_end(terminal: int) -> bytes:
    said = b""
    try:
        while block := os.read(terminal, 4096):
            said += block
    except OSError:  # how a terminal says that its other end is closed
        pass
    return said
