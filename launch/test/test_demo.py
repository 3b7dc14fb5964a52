"""Tests of how `frs demo` ends when it can't do its work; that it can is shown in test_recording."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from frs_msgs.msg import ActionChunk
from rclpy.node import Node
from sensor_msgs.msg import JointState
from sim_graph import Ear

from frs_steering.nodes.qos import EVENT

FRS = (sys.executable, "-m", "frs_bringup.cli")

MakeExecutable = Callable[[str, str, str], None]


@pytest.mark.usefixtures("waiting_nodes")
def test_a_node_that_can_not_start_is_named_and_its_words_kept(
    procs: Callable[..., Any], make_executable: MakeExecutable, tmp_path: Path
) -> None:
    make_executable("frs_steering", "vla_inference", "#!/bin/sh\necho error: weights file x does not exist\nexit 1\n")
    demo = procs(*FRS, "demo", "--out", tmp_path / "runs")
    assert demo.wait(30.0) == 1
    assert "error: vla_inference failed 3 times in a row" in demo.text()
    assert "  | error: weights file x does not exist" in demo.text()
    (directory,) = (tmp_path / "runs").iterdir()
    assert (directory / "logs" / "sim.log").read_text().startswith("domain ")
    assert demo.text().endswith(f"\nwhat there is of it:\nlogs     {os.path.relpath(directory / 'logs')}\n")


@pytest.mark.whole_graph
@pytest.mark.timeout(240)
def test_missing_weights_are_named_and_nothing_moves(node: Node, procs: Callable[..., Any], tmp_path: Path) -> None:
    """With the real nodes: what vla_inference says reaches the user, and the simulated arm rests meanwhile."""
    ear = Ear(node)
    joints = ear.listen(JointState, "joint_states")
    chunks = ear.listen(ActionChunk, "action_chunk", EVENT)
    weights = tmp_path / "nowhere.safetensors"
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text(f"/**/vla_inference:\n  ros__parameters: {{weights: {weights}}}\n")
    demo = procs(*FRS, "demo", "--out", tmp_path / "runs", f"params_file:={parameters}")
    ear.until(lambda: demo.poll() is not None, 180.0)
    assert demo.returncode == 1
    assert "error: vla_inference failed 3 times in a row" in demo.text()
    assert f"  | error: weights file {weights} does not exist" in demo.text()
    assert not chunks
    assert max(abs(velocity) for message in joints for velocity in message.velocity[:7]) < 0.02


@pytest.mark.usefixtures("waiting_nodes")
def test_ctrl_c_ends_it_with_130(procs: Callable[..., Any], tmp_path: Path) -> None:
    demo = procs(*FRS, "demo", "--out", tmp_path / "runs")
    demo.wait_for_text("waiting for vla_inference, arm_controller, sim, recorder, flow_steering")
    demo.send_signal(signal.SIGINT)
    assert demo.wait(15.0) == 130
    (directory,) = (tmp_path / "runs").iterdir()
    logs = os.path.relpath(directory / "logs")
    assert demo.text().endswith(f"\ninterrupted\nwhat there is of it:\nlogs     {logs}\n")


@pytest.mark.usefixtures("waiting_nodes")
def test_what_was_recorded_before_ctrl_c_is_named(procs: Callable[..., Any], tmp_path: Path) -> None:
    demo = procs(*FRS, "demo", "--out", tmp_path / "runs")
    demo.wait_for_text("waiting for vla_inference")
    (directory,) = (tmp_path / "runs").iterdir()
    for name in ("whole/whole.mcap", "torn/torn.mcap.partial"):
        (directory / name).parent.mkdir()
        (directory / name).touch()
    demo.send_signal(signal.SIGINT)
    assert demo.wait(15.0) == 130
    assert f"bag      {os.path.relpath(directory / 'whole')}\n" in demo.text()
    assert f"bag      {os.path.relpath(directory / 'torn' / 'torn.mcap.partial')}\n" in demo.text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--operator", "keyboard"], "error: --operator keyboard needs a terminal"),
        (["operator:=keyboard"], "error: --operator keyboard needs a terminal"),
        (["--task", "eggs"], "error: argument 'task' is 'eggs'; it must be one of: egg_on_plate, "),
        (["--seed", "-1"], "error: argument 'seed' is '-1'; it must be from 0 to "),
        (["--seed", "1", "seed:=2"], "error: seed is given twice: --seed 1 and seed:=2"),
        (["noise_policy:=no.file"], "error: argument 'noise_policy' is 'no.file'; there is no such file"),
        (["eggs:=1"], "error: configuration 'sim' has no argument 'eggs'; it has: task"),
        (["record_directory:=x"], "error: argument 'record_directory' is set by the demo itself; --out DIR chooses"),
    ],
)
def test_wrong_arguments_are_named(procs: Callable[..., Any], tmp_path: Path, words: list[str], message: str) -> None:
    demo = procs(*FRS, "demo", "--out", tmp_path / "runs", *words, stdin=subprocess.DEVNULL)
    assert demo.wait(30.0) == 2
    assert message in demo.text()
    assert not (tmp_path / "runs").exists()
