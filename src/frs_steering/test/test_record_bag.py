"""The file itself, opened by the libraries that others use: mcap, mcap-ros2-support and rosbags."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from journal_samples import CHANNELS, D, H, write_episode
from mcap.reader import make_reader
from mcap.records import Chunk
from mcap.stream_reader import StreamReader
from rclpy.serialization import serialize_message
from rosbags.highlevel import AnyReader
from rosbags.interfaces import QosDurability, QosReliability
from rosbags.rosbag2 import Reader
from std_msgs.msg import String

from frs_steering.record.bag import CHUNK_BYTES, BagFile, installed_channel
from frs_steering.record.images import decode_jpeg
from frs_steering.record.qos import OfferedQos


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a complete episode."""
    return write_episode(tmp_path_factory.mktemp("bags")).path.parent


def test_the_directory_is_what_rosbag2_makes(episode: Path) -> None:
    assert sorted(path.name for path in episode.iterdir()) == ["metadata.yaml", "sample.mcap"]
    text = (episode / "metadata.yaml").read_text()
    information = yaml.safe_load(text)["rosbag2_bagfile_information"]
    assert information["version"] == 8
    assert information["relative_file_paths"] == ["sample.mcap"]
    assert information["custom_data"]["label"] == "succeeded"
    assert "&id" not in text  # no YAML aliases, which rosbag2's own files never have


@pytest.mark.parametrize("bare", [True, False])
def test_rosbags_reads_every_topic_from_the_directory_and_from_the_bare_file(episode: Path, bare: bool) -> None:
    with AnyReader([episode / "sample.mcap" if bare else episode]) as reader:
        assert {connection.topic for connection in reader.connections} == {channel.topic for channel in CHANNELS}
        counts = dict.fromkeys(reader.topics, 0)
        for connection, _, raw in reader.messages():
            message = reader.deserialize(raw, connection.msgtype)
            counts[connection.topic] += 1
            if connection.topic.endswith("/compressed"):
                assert decode_jpeg(bytes(message.data)).shape == (64, 64, 3)
            if connection.topic == "/decision":
                assert len(message.refined) == H * D
        assert counts == {name: topic.msgcount for name, topic in reader.topics.items()}
        assert counts["/joint_states"] == 30


def test_mcap_reads_it_in_order_and_with_whole_checksums(episode: Path) -> None:
    with (episode / "sample.mcap").open("rb") as stream:
        reader = make_reader(stream, validate_crcs=True)
        assert reader.get_header().profile == "ros2"
        times = [message.log_time for _, _, message in reader.iter_messages()]
        names = {record.name for record in reader.iter_metadata()}
    assert times == sorted(times)
    assert names == {"frs_episode", "frs_result", "rosbag2"}


def test_no_chunk_is_larger_than_promised(tmp_path: Path) -> None:
    bag = BagFile(tmp_path / "a.mcap", CHANNELS, {})
    text = next(index for index, channel in enumerate(CHANNELS) if channel.type == "std_msgs/msg/String")
    bag.describe("told", {"before": "the first message"})  # the definitions still wait for it
    for length in (70_000, 10, 50_000, 70_000, 127_000, 1_000, 30_000):
        bag.write(text, serialize_message(String(data="x" * length)), 1, 1)
    bag.finish({})
    with (tmp_path / "a.mcap").open("rb") as stream:
        records = StreamReader(stream, emit_chunks=True).records
        sizes = [record.uncompressed_size for record in records if isinstance(record, Chunk)]
    assert max(sizes) <= CHUNK_BYTES
    assert len(sizes) > 1


def test_the_offered_qos_comes_back(tmp_path: Path) -> None:
    sensor, latched = (
        OfferedQos(reliability=2, durability=2),
        OfferedQos(reliability=1, durability=1, history=1, depth=1),
    )
    (tmp_path / "bag").mkdir()
    bag = BagFile(
        tmp_path / "bag" / "bag.mcap",
        [
            installed_channel("/a", "std_msgs/msg/String", [sensor]),
            installed_channel("/b", "std_msgs/msg/String", [latched, latched]),
        ],
        {},
    )
    bag.write(1, serialize_message(String(data="hello")), 5, 4)
    bag.finish({})
    for path in (tmp_path / "bag", tmp_path / "bag" / "bag.mcap"):
        with Reader(path) as reader:
            first, second = (connection.ext.offered_qos_profiles for connection in reader.connections)
            assert [(qos.reliability, qos.durability) for qos in first] == [
                (QosReliability.BEST_EFFORT, QosDurability.VOLATILE)
            ]
            assert [(qos.reliability, qos.durability, qos.depth) for qos in second] == [
                (QosReliability.RELIABLE, QosDurability.TRANSIENT_LOCAL, 1)
            ] * 2
            assert [(connection.topic, time) for connection, time, _ in reader.messages()] == [("/b", 5)]


def test_a_file_is_partial_until_it_is_whole_and_never_overwritten(tmp_path: Path) -> None:
    bag = BagFile(tmp_path / "a.mcap", CHANNELS, {})
    assert [path.name for path in tmp_path.iterdir()] == ["a.mcap.partial"]
    with pytest.raises(FileExistsError):
        BagFile(tmp_path / "a.mcap", CHANNELS, {})
    bag.finish({})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mcap", "metadata.yaml"]


def test_an_abandoned_file_ends_with_its_last_whole_chunk_and_says_what_is_lost(tmp_path: Path) -> None:
    bag = BagFile(tmp_path / "a.mcap", CHANNELS[:2], {})
    bag.write(0, b"\0" * 8, 1, 1)
    bag.flush()
    size = bag.size
    bag.write(0, b"\0" * 8, 2, 2)
    bag.write(1, b"\0" * 8, 3, 3)
    assert bag.abandon() == [1, 1]
    assert bag.messages == 1
    assert bag.partial.stat().st_size == size
