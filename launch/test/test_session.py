"""`frs session` as a user runs it: what it refuses, how it is interrupted, and once in earnest, with corrections."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from frs_msgs.msg import Decision
from frs_msgs.msg import Guidance as GuidanceMsg
from rclpy.node import Node
from sim_graph import Ear

from frs_steering.learn.noise_policy import load
from frs_steering.nodes.conversions import guidance_to_msg
from frs_steering.nodes.qos import EVENT
from frs_steering.steer.guidance import Guidance, GuidanceSource

FRS = (sys.executable, "-m", "frs_bringup.cli")
UP = Guidance(GuidanceSource.HUMAN, "tester", direction=(0.0, 0.0, 1.0), validity=5.0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--rollouts", "0"], "error: --rollouts is 0; it must be from 1 to"),
        (["--episodes", "6000"], "error: --episodes is 6000; it must be from 1 to 5000"),
        (["--task", "eggs"], "error: argument 'task' is 'eggs'; it must be one of: egg_on_plate, "),
        (["operator:=scripted"], "error: argument 'operator' is set by the session itself; who steers"),
        (["record_directory:=x"], "error: argument 'record_directory' is set by the session itself; --out DIR"),
        (["eggs:=1"], "error: configuration 'sim' has no argument 'eggs'; it has: task"),
    ],
)
def test_wrong_arguments_are_named(procs: Callable[..., Any], tmp_path: Path, words: list[str], message: str) -> None:
    session = procs(*FRS, "session", "--out", tmp_path / "runs", *words, stdin=subprocess.DEVNULL)
    assert session.wait(30.0) == 2
    assert message in session.text()
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("waiting_nodes")
def test_ctrl_c_ends_it_with_130(procs: Callable[..., Any], tmp_path: Path) -> None:
    session = procs(*FRS, "session", "--out", tmp_path / "runs")
    session.wait_for_text("waiting for vla_inference, arm_controller, sim, recorder, flow_steering")
    session.send_signal(signal.SIGINT)
    assert session.wait(15.0) == 130
    (directory,) = (tmp_path / "runs").iterdir()
    assert "interrupted\nwhat there is of it: " in session.text()
    assert not (directory / "logs" / "scripted_reasoner.log").read_text()  # it had not been started yet


@pytest.mark.whole_graph
@pytest.mark.timeout(540)
def test_from_rollouts_to_a_noise_policy_that_drives_and_is_corrected(
    procs: Callable[..., Any], node: Node, tmp_path: Path
) -> None:
    """One of each. Whether the noise policy is any good is not asked here."""
    session = procs(*FRS, "session", "--rollouts", "1", "--episodes", "1", "--out", tmp_path / "runs")
    assert session.wait(400.0) == 0
    (directory,) = (tmp_path / "runs").iterdir()
    found = json.loads((directory / "session.json").read_text())
    assert found["complete"] is True
    assert found["rollouts"]["successes"] == 1 and found["rollouts"]["decisions"]["scripted"] > 0
    assert set(found["before"]["decisions"]) == {"base"}
    assert found["after"]["decisions"]["noise_policy"] > 0
    assert [row["seed"] for row in found["after"]["rows"]][-1:] == [row["seed"] for row in found["before"]["rows"]][-1:]
    training = found["training"]
    assert training["rollouts"] == 1 and training["seconds"] > 0 and training["peak_memory_bytes"] > 50e6
    assert load(Path(training["file"])).version == training["version"]
    assert {"report.md", "success.png", "noise_policy.png"} <= {path.name for path in directory.iterdir()}

    # A further round: it drives, somebody corrects it now and then, and both are learnt from.
    corrected = _drive_corrected(procs, Ear(node), training["file"], tmp_path / "corrected")
    procs(*FRS, "record", "label", corrected, "succeeded").wait(30.0)
    second = tmp_path / "second.safetensors"
    trained = procs(*FRS, "train", "dsbc", directory / "rollouts", corrected, "--steps", "50", "--out", second)
    assert trained.wait(120.0) == 0, trained.text()
    quality = json.loads(second.with_suffix(".json").read_text())["quality"]
    assert {"scripted", "human", "noise policy"} <= quality["sources"].keys()
    assert load(second).version != training["version"]


def _drive_corrected(procs: Callable[..., Any], ear: Ear, noise_policy: str, out: Path) -> Path:
    """Let it drive, and say "up" after each chunk of its own, until both have acted; returns the recording."""
    acted: Counter[int] = Counter()
    voice = ear.node.create_publisher(GuidanceMsg, "guidance", EVENT)

    def correct(decision: Decision) -> None:
        acted[decision.source] += 1
        if decision.source == Decision.SOURCE_NOISE_POLICY:
            voice.publish(guidance_to_msg(UP, ear.node.get_clock().now().to_msg()))

    ear.node.create_subscription(Decision, "decision", correct, EVENT)
    demo = procs(*FRS, "demo", "--operator", "none", "--out", out, f"noise_policy:={noise_policy}")
    ear.until(lambda: min(acted[Decision.SOURCE_NOISE_POLICY], acted[Decision.SOURCE_HUMAN]) >= 3, 150.0)
    demo.send_signal(signal.SIGINT)
    assert demo.wait(15.0) == 130
    (recording,) = out.glob("*/*/*.mcap")
    return recording
