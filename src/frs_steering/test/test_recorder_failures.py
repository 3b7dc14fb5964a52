"""The recorder when something goes wrong: it is killed, the disk is full, messages never come."""

from __future__ import annotations

import contextlib
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from frs_msgs.msg import GateReport
from rclpy.duration import Duration
from rclpy.node import Node
from recorder_graph import Graph, recorded

from frs_steering.nodes.qos import EVENT
from frs_steering.record.check import check
from frs_steering.record.reader import records, summarise
from frs_steering.record.recover import recover


@pytest.fixture
def graph(node: Node) -> Graph:
    return Graph(node)


@pytest.fixture
def recording(graph: Graph, start_node: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> subprocess.Popen[str]:
    """The recorder's process, which records e1 in tmp_path."""
    process = start_node("recorder")
    graph.announce()
    assert graph.start(tmp_path).success
    return process


@contextlib.contextmanager
def full_disk(process: subprocess.Popen[str], size: int) -> Iterator[None]:
    """A limit on the size of files stands for the full disk: both come as an OSError out of write()."""
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, hard))
    yield
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))


def test_kill_9_costs_at_most_the_last_half_second(
    graph: Graph,
    recording: subprocess.Popen[str],
    start_node: Callable[..., subprocess.Popen[str]],
    tmp_path: Path,
) -> None:
    graph.tick(0)
    end = time.monotonic() + 2.0
    tick = 0
    while time.monotonic() < end:
        tick += 1
        graph.tick(tick)
        time.sleep(1 / 30)
    killed = time.time_ns()
    recording.kill()
    recording.wait()
    partial = tmp_path / "e1" / "e1.mcap.partial"
    summary = summarise(partial)
    assert killed - summary.end < 0.5e9
    assert summary.count("joint_states") > 0.7 * tick
    mended = recover(partial)
    assert mended.messages == summary.messages
    assert check(mended.path).problems[0].startswith("label is 'unlabelled'")
    # Started again, the recorder goes on with a file of its own.
    start_node("recorder")
    graph.states.clear()
    graph.wait(lambda: bool(graph.states))
    assert graph.start(tmp_path, "e2").success
    assert graph.stop().success


def test_a_full_disk_is_reported_and_the_recorder_lives(
    graph: Graph, recording: subprocess.Popen[str], tmp_path: Path
) -> None:
    graph.wait(recorded(graph, 1))
    tick = 0

    def failed() -> bool:
        nonlocal tick
        tick += 1
        graph.tick(tick)
        return "File too large while writing" in graph.states[-1].message

    with full_disk(recording, 60_000):
        graph.wait(failed)
        assert not graph.states[-1].recording
    ended = graph.stop()
    assert not ended.success
    assert "File too large" in ended.message
    assert ended.dropped_control > 0
    summary = summarise(Path(ended.path))
    assert summary.messages == ended.messages > 0
    assert graph.start(tmp_path, "e2").success  # there is room again
    assert graph.stop().success
    assert recording.poll() is None


def test_what_never_came_counts_as_lost(graph: Graph, recording: subprocess.Popen[str], tmp_path: Path) -> None:
    graph.publish("gate_report", GateReport(tick=1))
    graph.delivered("gate_report")
    graph.preflight()  # before it answers, it takes what was delivered; its count has messages of its own as well
    recording.send_signal(signal.SIGSTOP)
    for tick in range(2, 2002):  # many more than the histories hold
        graph.publish("gate_report", GateReport(tick=tick))
    recording.send_signal(signal.SIGCONT)
    graph.delivered("gate_report")
    graph.publish("gate_report", GateReport(tick=2002))
    graph.delivered("gate_report")
    ended = graph.stop()
    found = {record.message.tick for record in records(tmp_path / "e1", ["gate_report"])}
    assert ended.success and {1, 2002} <= found
    assert ended.dropped_control == 2002 - len(found) > 0
    assert any("control records lost: " in state.message for state in graph.states)


def test_several_publishers_each_with_numbers_of_its_own_are_no_loss(
    graph: Graph, start_node: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    start_node("recorder")
    first, second = (graph._node.create_publisher(GateReport, "gate_report", EVENT) for _ in range(2))
    graph.wait(lambda: min(first.get_subscription_count(), second.get_subscription_count()) > 0)
    for number in range(5):
        second.publish(GateReport(tick=number))
    assert graph.start(tmp_path).success
    for publisher in (first, second, first):
        publisher.publish(GateReport(tick=7))
        assert publisher.wait_for_all_acked(Duration(seconds=15))
    ended = graph.stop()
    assert (ended.success, ended.dropped_control) == (True, 0)


def test_a_recording_that_failed_hinders_no_later_one(
    graph: Graph, recording: subprocess.Popen[str], tmp_path: Path
) -> None:
    graph.wait(recorded(graph, 1))
    with full_disk(recording, 20_000):
        graph.tick(1)
        graph.wait(lambda: "File too large while writing" in graph.states[-1].message)
    begun = graph.start(tmp_path, "e2")  # there is room again, and nobody has ended the first one
    assert begun.success, begun.message
    ended = graph.stop()
    assert ended.success and ended.path == str(tmp_path / "e2" / "e2.mcap")
    assert (tmp_path / "e1" / "e1.mcap.partial").is_file()
