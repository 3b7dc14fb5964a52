"""The recording of a conducted episode, with the recorder itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from frs_msgs.msg import EpisodeEvent
from frs_msgs.srv import StartRecording
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sim_graph import PATIENCE, executable

from frs_sim.nodes import episode_recording
from frs_sim.nodes.episode_peers import Peers
from frs_sim.nodes.episode_recording import LOST, Recording
from frs_steering.record.reader import summarise


@pytest.fixture
def peers(node: Node, procs: Callable[..., Any]) -> Iterator[Peers]:
    """Of a conductor; the recorder is there, and what it says comes in on a thread of its own."""
    made = Peers(node, lambda: "")
    executor, over = SingleThreadedExecutor(), threading.Event()
    executor.add_node(node)

    def hear() -> None:
        while not over.is_set():
            executor.spin_once(timeout_sec=0.05)

    thread = threading.Thread(target=hear)
    thread.start()
    made.recorder = procs(executable("recorder", "frs_steering"))
    made.wait_for(lambda: made.recorder_state.message, PATIENCE, "the recorder was not there")
    yield made
    over.set()
    thread.join()
    executor.shutdown()


def test_an_answer_that_was_lost_costs_nothing(peers: Peers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = Recording(peers)
    recording.preflight()  # so that the two have discovered each other
    assert recording.begin(StartRecording.Request(episode_id="e1", directory=str(tmp_path))).endswith("e1.mcap.partial")
    monkeypatch.setattr(episode_recording, "CLOSING_TIMEOUT", 0.0)  # the request is sent, and its answer not awaited
    path, problem = recording.end(EpisodeEvent.SUCCEEDED, "success")
    assert (path, problem, recording.running) == (str(tmp_path / "e1" / "e1.mcap"), "", False)
    assert summarise(Path(path)).result["label"] == "succeeded"


def test_a_recording_that_was_left_open_is_ended_first(peers: Peers, tmp_path: Path) -> None:
    Recording(peers).begin(StartRecording.Request(episode_id="e1", directory=str(tmp_path)))
    peers.wait_for(lambda: peers.recorder_state.message.recording, PATIENCE, "the recorder did not say so")
    recording = Recording(peers)
    recording.begin(StartRecording.Request(episode_id="e2", directory=str(tmp_path)))
    assert summarise(tmp_path / "e1" / "e1.mcap").result["label"] == "discarded"
    assert recording.end(EpisodeEvent.FAILED, "") == (str(tmp_path / "e2" / "e2.mcap"), "")


def test_a_recorder_that_died_is_an_alarm(peers: Any, procs: Callable[..., Any], tmp_path: Path) -> None:
    recording = Recording(peers)
    recording.begin(StartRecording.Request(episode_id="e1", directory=str(tmp_path)))
    assert recording.alarm() != LOST, "the newest state may still be the one of before"
    peers.wait_for(lambda: peers.recorder_state.message.recording, PATIENCE, "the recorder did not say so")
    assert recording.alarm() != LOST
    peers.recorder.kill()
    peers.recorder.wait()
    procs(executable("recorder", "frs_steering"))
    peers.wait_for(lambda: recording.alarm() == LOST, PATIENCE, "no alarm")
