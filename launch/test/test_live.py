"""`frs live`: the recorder and the noise policies of a running graph, asked by command."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ament_index_python.packages import get_package_prefix
from asked_graph import AskedGraph
from frs_msgs.action import TrainNoisePolicy
from frs_msgs.msg import EpisodeEvent, PolicyInfo
from frs_msgs.srv import LoadNoisePolicy, StartRecording, StopRecording
from hypothesis import given
from hypothesis import strategies as st
from rclpy.node import Node
from rollout_recordings import record
from rollout_samples import WEIGHTS, D, H
from std_srvs.srv import Trigger
from terminal_process import TerminalProcess

from frs_bringup.cli import main
from frs_bringup.live_training import BAR, bar
from frs_steering.learn.noise_policy import load
from frs_steering.nodes.conversions import policy_info_to_msg
from frs_steering.nodes.qos import LATCHED
from frs_steering.policies.interface import PolicySpec
from frs_steering.robot.spaces import ActionSpace

FRS = (sys.executable, "-m", "frs_bringup.cli")
NODES = Path(get_package_prefix("frs_steering")) / "lib" / "frs_steering"
SPEC = PolicySpec(
    "made-up", WEIGHTS, ActionSpace.CARTESIAN_VELOCITY, H, D, 8, 1 / 15, "fr3_link0", tuple("xyzrpgh")[:D],
    (1.0,) * D, (),
)  # fmt: skip


@pytest.fixture
def graph(ros: ModuleType) -> Iterator[AskedGraph]:
    made = AskedGraph()
    yield made
    made.close()


def test_the_preflights_complaints_come_a_line_each(graph: AskedGraph, capsys: pytest.CaptureFixture[str]) -> None:
    slow, never = "joint_states comes 9.5 times a second; it should 15 times", "policy_info never came"
    graph.serve("recorder", Trigger, "recorder/preflight", success=False, message=f"{slow}; {never}")
    assert main(["live", "preflight"]) == 1
    assert capsys.readouterr().out == f"{slow}\n{never}\n"


def test_a_recording_by_hand(graph: AskedGraph, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    graph.serve("recorder", StartRecording, "recorder/start", success=True, message="recording to x; no camera")
    graph.serve("recorder", StopRecording, "recorder/stop", success=True, message="77 messages in x")
    words = ["--task", "egg", "--instruction", "put it in", "--seed", "7", "--directory", str(tmp_path)]
    assert main(["live", "start", "egg-003", *words]) == 0
    assert main(["live", "end", "failed", "--note", "it fell", "--operator", "ada"]) == 0
    start, end = graph.requests
    assert start == StartRecording.Request(
        episode_id="egg-003", task="egg", instruction="put it in", seed=7, directory=str(tmp_path)
    )
    assert end == StopRecording.Request(label=EpisodeEvent.FAILED, note="it fell", author="ada")
    assert capsys.readouterr().out == "recording to x\nno camera\n77 messages in x\n"


def test_noise_policies_are_loaded_and_unloaded(
    graph: AskedGraph, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    graph.serve("noise_policy", LoadNoisePolicy, "noise_policy/load", success=True, version="egg@0123")
    assert main(["live", "load", "egg.safetensors"]) == 0
    assert main(["live", "unload"]) == 0
    assert [request.file for request in graph.requests] == [str(tmp_path / "egg.safetensors"), ""]
    assert capsys.readouterr().out.startswith("egg@0123 is live\nno noise policy is live")


def test_a_training_that_fails_says_why(graph: AskedGraph, capsys: pytest.CaptureFixture[str]) -> None:
    def work(handle: Any) -> TrainNoisePolicy.Result:
        handle.abort()
        return TrainNoisePolicy.Result(message="no rollout succeeded")

    graph.act("noise_trainer", TrainNoisePolicy, "noise_policy/train", work)
    assert main(["live", "train", "runs"]) == 1
    assert capsys.readouterr().err == "error: no rollout succeeded\n"
    assert main(["live", "train", "runs", "--kind", "bc", "--go-live"]) == 1
    assert "only dsbc" in capsys.readouterr().err


def until_called_off(handle: Any) -> TrainNoisePolicy.Result:
    """A training that goes on until somebody ends it."""
    pause = threading.Event()
    while not handle.is_cancel_requested:
        pause.wait(0.05)
        handle.publish_feedback(TrainNoisePolicy.Feedback(message="step 5 of 20", progress=0.25))
    handle.canceled()
    return TrainNoisePolicy.Result(message="it was ended")


def test_ctrl_c_before_a_training_is_accepted_calls_it_off_too(graph: AskedGraph, procs: Callable[..., Any]) -> None:
    asked, interrupted = threading.Event(), threading.Event()

    def think() -> None:
        asked.set()
        interrupted.wait(20.0)

    graph.act("noise_trainer", TrainNoisePolicy, "noise_policy/train", until_called_off, think)
    training = procs(*FRS, "live", "train", "runs")
    assert asked.wait(30.0)
    training.send_signal(signal.SIGINT)
    interrupted.set()
    assert training.wait(15.0) == 130
    assert training.text().endswith("called off: nothing was trained, and what was live is live\n")


def test_ctrl_c_calls_a_training_off(graph: AskedGraph, procs: Callable[..., Any]) -> None:
    graph.act("noise_trainer", TrainNoisePolicy, "noise_policy/train", until_called_off)
    training = procs(*FRS, "live", "train", "runs")
    training.wait_for_text("[#####---------------]  25%  step 5 of 20")
    training.send_signal(signal.SIGINT)
    assert training.wait(15.0) == 130
    assert training.text().endswith("called off: nothing was trained, and what was live is live\n")


@given(st.floats(), st.text(max_size=5))
def test_the_bar_is_as_long_as_ever(progress: float, message: str) -> None:
    assert len(bar(progress, message)) == BAR + 2 + 1 + 4 + 2 + len(message)


def test_from_recordings_to_a_live_noise_policy_at_a_terminal(
    node: Node, procs: Callable[..., Any], tmp_path: Path
) -> None:
    """The real nodes; the question is answered with y."""
    record(tmp_path / "rollouts", "e1", count=30)
    policy = node.create_publisher(PolicyInfo, "policy_info", LATCHED)
    policy.publish(policy_info_to_msg(SPEC, node.get_clock().now().to_msg()))
    procs(NODES / "noise_policy").wait_for_text("no noise policy is live", 60.0)
    procs(NODES / "noise_trainer")
    command = TerminalProcess(*FRS, "live", "train", str(tmp_path / "rollouts"))
    try:
        command.wait_for("put it live now, where nobody steers? [y/N] ", 90.0)
        command.press(b"y\n")
        version = load(tmp_path / "rollouts-dsbc.safetensors").version
        command.wait_for(f"{version} is live", 30.0)
        assert command.end(timeout=10.0)[0] == 0
    finally:
        command.close()
