"""`frs demo` as a user runs it, to the end of its episode, and the bag of it in the hands of stock tools."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from rosbags.highlevel import AnyReader

from frs_bringup.measures import TIMINGS
from frs_steering.policies import load_policy
from frs_steering.record.check import check
from frs_steering.record.reader import summarise
from frs_steering.record.replay import replay

pytestmark = [pytest.mark.whole_graph, pytest.mark.timeout(300)]

DEMO_LIMIT = 240.0  # s; about 40 on an idle machine

IMAGES = {"/camera/exterior/color/image_raw/compressed", "/camera/wrist/color/image_raw/compressed"}

TOPICS = IMAGES | {
    "/camera/exterior/color/camera_info",
    "/camera/wrist/color/camera_info",
    "/joint_states",
    "/instruction",
    "/policy_info",
    "/policy_input",
    "/guidance",
    "/action_chunk",
    "/lease_renewal",
    "/decision",
    "/arm_state",
    "/gate_report",
    "/fr3_arm_controller/joint_trajectory",
    "/fr3_gripper_controller/joint_trajectory",
    "/task_state",
    "/episode_event",
    "/noise_policy/info",
    "/flow_steering/active",
    "/flow_steering/why_not",
    "/vla_inference/why_not",
    "/diagnostics",
    "/recorder_state",
}
"""Every topic of the graph but the clock, the logs and the simulator's truth."""


@dataclass(frozen=True)
class Demo:
    """What a demo left behind: exit status, what it printed, its directory, its summary, and the bag's directory."""

    status: int
    text: str
    directory: Path
    summary: dict[str, Any]
    bag: Path


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """One run of `frs demo`; whether its task succeeds is not asked here."""
    runs = tmp_path_factory.mktemp("runs")
    done = subprocess.run(
        [sys.executable, "-m", "frs_bringup.cli", "demo", "--out", str(runs)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEMO_LIMIT,
    )
    (directory,) = runs.iterdir()
    assert (directory / "summary.json").exists(), done.stdout
    summary = json.loads((directory / "summary.json").read_text())
    (bag,) = (path.parent for path in directory.glob("*/*.mcap"))
    return Demo(done.returncode, done.stdout, directory, summary, bag)


def test_the_demo_says_what_happened(demo: Demo) -> None:
    summary = demo.summary
    assert (demo.status == 0) == summary["success"], demo.text
    assert summary["label"] in ("succeeded", "failed")
    assert summary["chunks"] >= 5
    assert summary["decisions"]["scripted"] >= 1
    assert 0 < summary["ticks"]["fresh_share"] <= 1
    for stage in (*TIMINGS, "gate", "tick_lateness"):
        assert summary["stages_ms"][stage]["n"] > 0, stage
    assert summary["seam"]["delay_ms"]["n"] >= 5
    for words in ("fresh chunk", "steered by", "camera_age", "summary.json", "episode.mp4"):
        assert words in demo.text


def test_the_video_plays(demo: Demo) -> None:
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(demo.directory / "episode.mp4"))
    assert seconds > 0.8 * demo.summary["duration_s"] * min(1.0, demo.summary["sim_speed"])
    assert frames > 15


def test_the_recording_is_complete(demo: Demo) -> None:
    assert check(demo.bag).problems == ()
    assert demo.summary["recording"]["dropped_control"] == 0
    assert demo.summary["recording"]["damage"] == []


def test_every_decision_comes_out_again(demo: Demo) -> None:
    found = replay(demo.bag, load_policy("embedded"))
    assert found.problems == ()
    assert found.again >= demo.summary["chunks"] and not found.passed_over


def test_the_configuration_of_all_nodes_is_in_it(demo: Demo) -> None:
    found = summarise(demo.bag).configuration
    assert found.silent is not None
    late = {node for node, why in found.silent.items() if "did not answer" in why}  # on a busy machine
    asked = {"/sim", "/vla_inference", "/flow_steering", "/arm_controller", "/recorder"}
    assert asked <= set(found.parameters) | late and len(late & asked) <= 1
    assert {why for node, why in found.silent.items() if node not in late} <= {"it has no parameter services"}
    assert {"frs_bringup", "frs_msgs", "frs_sim", "frs_steering", "distribution"} <= set(found.versions)


def test_mcap_reads_every_topic_and_the_images_decode(demo: Demo) -> None:
    (file,) = demo.bag.glob("*.mcap")
    counts: Counter[str] = Counter()
    with file.open("rb") as stream:
        reader = make_reader(stream, decoder_factories=[DecoderFactory()])
        for _, channel, _, message in reader.iter_decoded_messages():
            counts[channel.topic] += 1
            if channel.topic in IMAGES:
                picture = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)
                assert picture.shape == (224, 224, 3)
                assert picture.std() > 10
    assert set(counts) == TOPICS  # a topic without a message would be missing here
    assert sum(counts.values()) == demo.summary["recording"]["messages"]


def test_rosbags_reads_every_message(demo: Demo) -> None:
    counts: Counter[str] = Counter()
    with AnyReader([demo.bag]) as reader:
        for connection, _, raw in reader.messages():
            reader.deserialize(raw, connection.msgtype)
            counts[connection.topic] += 1
    assert set(counts) == TOPICS
    assert sum(counts.values()) == demo.summary["recording"]["messages"]
