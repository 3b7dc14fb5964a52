"""The recorder as a process of its own, fed over DDS by a node of the test."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ament_index_python.packages import get_package_prefix
from diagnostic_msgs.msg import DiagnosticArray
from frs_msgs.msg import EpisodeEvent
from journal_samples import TOPICS, image_message, picture, tick_messages
from rclpy.node import Node
from recorder_graph import Graph, recorded
from rosbags.highlevel import AnyReader
from sensor_msgs.msg import Image
from std_msgs.msg import Bool, String

from frs_steering.nodes.parameter_query import PATIENCE
from frs_steering.nodes.qos import EVENT, LATCHED, SENSOR
from frs_steering.record.check import check
from frs_steering.record.reader import image, records, summarise
from frs_steering.record.topics import Kind, image_topic, stored_name

QOS = {Kind.SENSOR: SENSOR, Kind.IMAGE: SENSOR, Kind.EVENT: EVENT, Kind.LATCHED: LATCHED}
EXECUTABLE = Path(get_package_prefix("frs_steering")) / "lib" / "frs_steering" / "recorder"


@pytest.fixture
def graph(node: Node) -> Graph:
    return Graph(node)


def test_an_episode_is_recorded_whole_and_others_read_it(
    graph: Graph, start_node: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    start_node("recorder")
    graph.publish("instruction", String(data="put the egg in the basket"))  # before the recorder is there
    graph.announce()
    graph.wait(lambda: bool(graph.states))
    assert not graph.states[-1].recording
    sensors = [(name, message) for name, message in tick_messages(0) if name not in ("instruction", "policy_info")]
    while "joint_states never came" in graph.preflight().message:  # then the recorder knows what publishers offer
        for name, message in sensors:
            graph.publish(name, message)
    sent_from = time.time_ns()
    begun = graph.start(tmp_path, instruction="put the egg in the basket", seed=5)
    assert begun.success, begun.message
    assert begun.path == str(tmp_path / "e1" / "e1.mcap.partial")
    for tick in range(30):
        graph.tick(tick)
        time.sleep(1 / 60)  # four times the rate of the cell
    last = EpisodeEvent(kind=EpisodeEvent.SUCCEEDED, note="last words")
    graph.publish("episode_event", last)
    ended = graph.stop(note="done", author="ada")
    assert ended.success, ended.message
    assert ended.path == str(tmp_path / "e1" / "e1.mcap")
    assert (ended.dropped_control, ended.dropped_images) == (0, 0)

    report = check(tmp_path / "e1")
    assert report.complete, report.problems
    summary = report.summary
    assert summary.messages == ended.messages
    put = Counter(name for tick in range(30) for name, _ in tick_messages(tick))
    for topic in TOPICS:
        if topic.kind is Kind.EVENT:
            # One event more: the last words. And the recorder's own health. What was sent before the start may come
            # after it on a busy machine.
            found = [record for record in records(tmp_path / "e1", [topic.name]) if record.publish_time >= sent_from]
            more = len(found) - put[topic.name]
            assert more == (topic.name == "episode_event") or topic.name == "/diagnostics"
        elif topic.kind in (Kind.SENSOR, Kind.IMAGE):  # best effort: on a busy machine DDS may lose some
            assert summary.count(stored_name(topic)) >= 0.8 * put[topic.name]
    # The latched instruction opens the file, and came again in the first step.
    assert summary.count("instruction") == 2
    assert (summary.result["note"], summary.result["operator"]) == ("done", "ada")
    assert summary.episode["seed"] == "5"
    events = [record.message for record in records(tmp_path / "e1", ["episode_event"])]
    assert events[-1].note == "last words"
    for record in records(tmp_path / "e1", ["arm_state"]):
        assert 0 <= record.log_time - record.publish_time < 1e9
    with AnyReader([tmp_path / "e1"]) as reader:
        assert reader.message_count == ended.messages
        for connection, _, raw in reader.messages():
            reader.deserialize(raw, connection.msgtype)
        offered = {c.topic: c.ext.offered_qos_profiles for c in reader.connections}
    assert offered["/joint_states"][0].reliability.name == "BEST_EFFORT"
    assert offered["/policy_info"][0].durability.name == "TRANSIENT_LOCAL"


def test_the_configuration_of_every_node_is_written(
    graph: Graph, start_node: Callable[..., subprocess.Popen[str]], tmp_path: Path, ros: ModuleType
) -> None:
    deaf = Node("deaf", namespace="/lab", start_parameter_services=False)
    stuck = Node("stuck")  # has the services, and is never spun
    graph._node.declare_parameter("speed", [0.5, 1.0])
    start_node("recorder", jpeg_quality=77)  # after them: the names of a node that is there come with its first words
    try:
        graph.wait(lambda: bool(graph.states))
        begun = time.monotonic()
        assert graph.start(tmp_path).success
        assert time.monotonic() - begun < PATIENCE, "the start's answer waits for nobody"
        partial = tmp_path / "e1" / "e1.mcap.partial"
        graph.wait(lambda: summarise(partial).configuration.silent is not None)
        assert graph.stop().success
    finally:
        deaf.destroy_node()
        stuck.destroy_node()
    found = summarise(tmp_path / "e1").configuration
    assert found.parameters["/recorder"]["jpeg_quality"] == "77"
    assert found.parameters["/recorder"]["cameras"] == '["exterior", "wrist"]'
    assert found.parameters[graph._node.get_fully_qualified_name()]["speed"] == "[0.5, 1.0]"
    assert found.silent is not None  # among them may be nodes of tests before, whose end nobody was told
    assert found.silent["/lab/deaf"] == "it has no parameter services"
    assert found.silent["/stuck"] == "it did not answer within 2 s"
    assert {"frs_steering", "frs_msgs", "distribution", "python", "system"} <= set(found.versions)
    # Asked anew for each recording; one that is over at once names who was not asked.
    assert graph.start(tmp_path, "e2").success
    assert graph.stop().success
    found = summarise(tmp_path / "e2").configuration
    assert found.silent is not None and len(found.silent) + len(found.parameters) >= 2


def test_a_remapped_topic_keeps_its_name_and_is_known_by_the_graphs(
    graph: Graph, procs: Callable[..., Any], tmp_path: Path
) -> None:
    procs(EXECUTABLE, "--ros-args", "-r", "camera/wrist/color/image_raw:=/cam0/image_raw")
    publisher = graph._node.create_publisher(Image, "/cam0/image_raw", SENSOR)
    graph.wait(lambda: publisher.get_subscription_count() > 0)
    assert graph.start(tmp_path).success
    publisher.publish(image_message(picture(0)))
    graph.wait(lambda: "wrist/color/image_raw never came" not in graph.preflight().message)
    assert graph.stop().success
    (record,) = records(tmp_path / "e1", [image_topic("wrist")])
    assert record.topic == "/cam0/image_raw/compressed"
    assert image(record).shape == (64, 64, 3)


def test_why_nothing_moves_is_recorded(
    node: Node, graph: Graph, start_node: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    start_node("recorder")
    health: list[DiagnosticArray] = []
    node.create_subscription(DiagnosticArray, "/diagnostics", health.append, EVENT)
    said = {
        "flow_steering/active": Bool(data=True),
        "flow_steering/why_not": String(data="no instruction came yet"),
        "vla_inference/why_not": String(data="no camera"),
        "robot_driver/error": String(data="reflex"),
    }
    for name, message in said.items():
        graph.publish(name, message)
        graph.delivered(name)
    assert graph.start(tmp_path).success
    health.clear()
    graph.wait(lambda: bool(health))  # the recorder's own, which it records too
    assert graph.stop().success
    found = {record.known_as: record.message.data for record in records(tmp_path / "e1", said)}
    assert found == {name: message.data for name, message in said.items()}
    summary = summarise(tmp_path / "e1")
    assert summary.count("/diagnostics") > 0


def test_latched_state_from_before_the_start_opens_every_file(
    graph: Graph, start_node: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    start_node("recorder")
    graph.publish("instruction", String(data="first"))
    graph.wait(lambda: bool(graph.states))
    graph.delivered("instruction")
    for name in ("e1", "e2"):
        assert graph.start(tmp_path, name).success
        assert graph.stop().success
        texts = [record.message.data for record in records(tmp_path / name, ["instruction"])]
        assert texts == ["first"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_file_within_two_seconds(
    graph: Graph, start_node: Callable[..., subprocess.Popen[str]], tmp_path: Path, number: signal.Signals
) -> None:
    process = start_node("recorder")
    graph.announce()
    assert graph.start(tmp_path).success
    published = sum(graph.tick(tick) for tick in range(10))
    graph.wait(recorded(graph, published))
    begin = time.monotonic()
    process.send_signal(number)
    assert process.wait(5) == 0
    assert time.monotonic() - begin < 2.0
    summary = summarise(tmp_path / "e1" / "e1.mcap")
    assert summary.result["label"] == "unlabelled"
    assert summary.count("joint_states") == 10


def test_the_preflight_names_what_is_missing_and_is_content_once_all_comes(
    graph: Graph, start_node: Callable[..., subprocess.Popen[str]]
) -> None:
    start_node("recorder")
    assert not (found := graph.preflight()).success
    assert "camera/wrist/color/image_raw never came; it should come 15 times a second" in found.message
    assert "policy_info never came" in found.message
    graph.announce()
    begun, number = time.monotonic(), 0
    while not (found := graph.preflight()).success and time.monotonic() < begun + 30.0:
        for _ in range(5):
            graph.tick(number)
            number += 1
            graph.wait(lambda due=begun + number / 15: time.monotonic() >= due)
    assert found.success, found.message
    assert "all is there; the disk has room for" in found.message


def test_wrong_calls_are_refused_in_words(
    graph: Graph, start_node: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    start_node("recorder")
    assert "nothing is being recorded" in graph.stop().message
    assert "episode_id is 'a/b'" in graph.start(tmp_path, "a/b").message
    assert (
        "the disk of /proc/self has room for 0.0 minutes; a recording needs 1"
        in graph.start(Path("/proc/self")).message
    )
    asked_for = "the disk of /proc/self has room for 0 minutes"
    assert asked_for in graph.preflight().message, "of where the last one was asked for"
    (tmp_path / "file").touch()
    assert f"can't write to {tmp_path / 'file'}" in graph.start(tmp_path / "file").message
    graph.wait(lambda: graph.states[-1].message.startswith(f"not recording: can't write to {tmp_path / 'file'}: "))
    assert graph.start(tmp_path).success and "the disk of" not in graph.preflight().message
    again = graph.start(tmp_path)  # as by somebody whose answer was lost
    assert again.success and "e1.mcap.partial is being recorded already" in again.message
    assert "e1.mcap.partial is being recorded; call recorder/stop first" in graph.start(tmp_path, "e2").message
    refused = graph.stop(label=EpisodeEvent.NOTE)
    assert not refused.success
    assert "label is 6; it must be one of 2 (succeeded)" in refused.message
    ended = graph.stop(note="done", author="ada")
    assert ended.success
    assert graph.stop(note="done", author="ada") == ended, "as by somebody whose answer was lost"
    assert "nothing is being recorded" in graph.stop(note="another").message
    assert "e1 exists already" in graph.start(tmp_path).message


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("jpeg_quality", 0, "parameter 'jpeg_quality' of node 'recorder'"),
        ("cameras", "[exterior, a/b]", "has 'a/b'; a name is letters, digits and '_'"),
        ("cameras", "exterior", "'cameras' of node 'recorder' is 'exterior'; it must be of type list"),
        ("directory", 3, "'directory' of node 'recorder' is 3; it must be of type str"),
    ],
)
def test_a_wrong_parameter_is_named(name: str, value: object, complaint: str) -> None:
    command = [str(EXECUTABLE), "--ros-args", "-p", f"{name}:={value}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=dict(os.environ))
    assert done.returncode == 1
    assert complaint in done.stderr


def test_cameras_are_a_parameter(
    graph: Graph, start_node: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    start_node("recorder", cameras="[wrist]")
    publisher = graph._node.create_publisher(type(image_message(picture(0))), "camera/wrist/color/image_raw", SENSOR)
    graph.wait(lambda: publisher.get_subscription_count() > 0)
    assert graph.start(tmp_path).success
    publisher.publish(image_message(picture(0)))
    graph.wait(lambda: "image_raw never came" not in graph.preflight().message)
    assert graph.stop().success
    summary = summarise(tmp_path / "e1")
    assert summary.count("camera/wrist/color/image_raw/compressed") == 1
    assert not any("exterior" in topic.name for topic in summary.topics)
