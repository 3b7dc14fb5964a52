"""Tests of how `frs demo` ends when it can't do its work; that it can is shown in test_recording."""

from __future__ import annotations

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
    assert demo.text().endswith("interrupted\n")


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["--operator", "keyboard"], 1, "error: --operator keyboard needs a terminal"),
        (["--task", "eggs"], 2, "argument --task: invalid choice: 'eggs' (choose from"),
        (["eggs:=1"], 1, "error: configuration 'sim' has no argument 'eggs'; it has: task"),
    ],
)
def test_wrong_arguments_are_named(
    procs: Callable[..., Any], tmp_path: Path, words: list[str], status: int, message: str
) -> None:
    demo = procs(*FRS, "demo", "--out", tmp_path / "runs", *words, stdin=subprocess.DEVNULL)
    assert demo.wait(30.0) == status
    assert message in demo.text()
    assert not (tmp_path / "runs").exists()
