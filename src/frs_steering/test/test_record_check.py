"""What a complete episode must contain."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from frs_msgs.msg import ActionChunk
from journal_samples import CHANNELS, INDEX, START, TOPICS, D, H, channel, cut, decision, put_tick, write_episode
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, JointState

from frs_steering.record.check import check
from frs_steering.record.reader import records
from frs_steering.record.writer import Episode, JournalWriter, Limits


def test_a_complete_episode_has_no_problems(tmp_path: Path) -> None:
    report = check(write_episode(tmp_path).path)
    assert report.complete, report.problems
    assert report.summary.count("decision") == 4


def test_a_chunk_sent_before_the_recording_began_is_no_loss(tmp_path: Path) -> None:
    for first, problems in ((0, ()), (8, ("decision on chunk 2 of epoch 1: its action chunk is not in the file",))):
        writer = JournalWriter(tmp_path, Episode(f"from-{first}"), CHANNELS, Limits())
        for tick in range(30):
            put_tick(writer, tick, leave_out="action_chunk" if tick == first else "")
        assert check(writer.close("failed").path).problems == problems


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, Episode("poor"), CHANNELS, Limits())
    put_tick(writer, 1)  # without instruction, policy, decision
    done = writer.close("unlabelled")
    problems = check(done.path).problems
    for name in ("instruction", "policy_info", "action_chunk", "decision"):
        assert f"no message on {name}" in problems
    assert any("label is 'unlabelled'; it must be one of succeeded, failed" in line for line in problems)
    assert "no message on joint_states" not in problems


def test_services_alone_make_a_complete_episode(tmp_path: Path) -> None:
    # The label is in the file's end; only teleop and the sim's episodes say it on episode_event, too.
    report = check(write_episode(tmp_path, leave_out="episode_event").path)
    assert report.problems == ()
    assert report.summary.count("episode_event") == 0


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("namespace", ["", "/lab"])
def test_the_grippers_joint_states_are_not_the_arms(tmp_path: Path, namespace: str, named: bool) -> None:
    channels = [channel(topic, namespace) for topic in TOPICS]
    if not named:  # as by another recorder: a topic's own name says what it is
        channels = [dataclasses.replace(one, name="") for one in channels]
    writer = JournalWriter(tmp_path, Episode("gripper"), channels, Limits())
    for tick in range(9):
        put_tick(writer, tick, leave_out="joint_states")
    gripper = serialize_message(JointState(name=["finger"], position=[0.0], velocity=[0.0], effort=[0.0]))
    writer.put(INDEX["fr3_gripper_controller/joint_states"], gripper, START, START)
    path = writer.close("failed").path
    assert check(path).problems == ("no message on joint_states",)
    assert [record.topic for record in records(path, ["fr3_gripper_controller/joint_states"])] == [
        f"{namespace}/fr3_gripper_controller/joint_states"
    ]


def test_a_remapped_topic_is_known_by_the_name_that_the_recorder_wrote(tmp_path: Path) -> None:
    channels = list(CHANNELS)
    index = INDEX["joint_states"]
    channels[index] = dataclasses.replace(channels[index], topic="/franka/joint_states")
    report = check(write_episode(tmp_path, channels=channels).path)
    assert report.problems == ()
    assert report.summary.count("joint_states") == 30


def test_a_camera_that_is_missing_is_named(tmp_path: Path) -> None:
    path = write_episode(tmp_path).path
    assert check(path, cameras=["top"]).problems == ("no message on camera/top/color/image_raw/compressed",)


def test_decisions_are_checked_against_their_chunks(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, Episode("odd"), CHANNELS, Limits())
    for tick in range(9):
        put_tick(writer, tick)
    odd = decision(40)
    odd.refined = [float("nan")] * (H * D)
    odd.noise_used = [0.0] * 3
    writer.put(INDEX["decision"], serialize_message(odd), START, START)
    problems = check(writer.close("failed").path).problems
    assert set(problems) == {
        "decision on chunk 40 of epoch 1: refined is not finite",
        "decision on chunk 40 of epoch 1: noise_used has 3 values; 16 x 7 expected",
        "decision on chunk 40 of epoch 1: its action chunk is not in the file",
    }


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([0.0] * 5 + [0.001] + [0.0] * (H * D - 6), "its action chunk is another than the decision's, by 0.001"),
        ([float("nan")] * (H * D), "its action chunk is another than the decision's, by nan"),
        ([0.0] * 3, "its action chunk has 3 values; the decision has 112"),
        ([5e-5] * (H * D), ""),
    ],
)
def test_what_was_sent_to_the_arm_is_what_was_decided(tmp_path: Path, rows: list[float], problem: str) -> None:
    writer = JournalWriter(tmp_path, Episode("other"), CHANNELS, Limits())
    for tick in range(9):
        put_tick(writer, tick)
    writer.put(INDEX["decision"], serialize_message(decision(40)), START, START)
    sent = ActionChunk(chunk_id=40, owner_epoch=1, rows=rows)
    writer.put(INDEX["action_chunk"], serialize_message(sent), START, START)
    problems = check(writer.close("failed").path).problems
    assert len(problems) == bool(problem)
    assert not problem or problems[0].startswith(f"decision on chunk 40 of epoch 1: {problem}")


def test_an_image_that_does_not_decode_is_named(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, Episode("image"), CHANNELS, Limits())
    for tick in range(9):
        put_tick(writer, tick)
    noise = serialize_message(CompressedImage(format="jpeg", data=b"no picture"))
    writer.put(INDEX["camera/wrist/color/image_raw"], noise, START, START)  # past the compression
    problems = check(writer.close("failed").path).problems
    assert problems == ("/camera/wrist/color/image_raw/compressed: 10 bytes of a compressed image don't decode",)


def test_a_cut_file_is_said_to_be_cut(tmp_path: Path) -> None:
    problems = check(cut(write_episode(tmp_path, ticks=60).path.parent)).problems
    assert any("are not a whole record" in line for line in problems)
    assert any("label is ''" in line for line in problems)
