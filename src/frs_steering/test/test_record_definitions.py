"""Definitions and hashes of messages, against two other implementations of the same conventions."""

from __future__ import annotations

import pytest
from mcap_ros2._dynamic import generate_dynamic
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from frs_steering.record.definitions import definition, type_hash
from frs_steering.record.errors import JournalError
from frs_steering.record.topics import STORED_IMAGE, episode_topics

TYPES = sorted({topic.type for topic in episode_topics(["wrist"])} | {STORED_IMAGE})


@pytest.mark.parametrize("message_type", TYPES)
def test_rosbags_and_mcap_understand_the_definition_and_agree_on_its_hash(message_type: str) -> None:
    text = definition(message_type)
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(text, message_type))
    assert store.hash_rihs01(message_type) == type_hash(message_type)
    assert message_type in generate_dynamic(message_type, text)


def test_a_message_inside_a_message_is_defined_once() -> None:
    parts = definition("frs_msgs/msg/Decision").split("=" * 80)
    names = [part.split("\n")[1] for part in parts[1:]]
    assert "MSG: frs_msgs/Guidance" in names
    assert "MSG: builtin_interfaces/Time" in names
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("message_type", "complaint"),
    [
        ("Decision", "must be of the form"),
        ("frs_msgs/srv/FlowQuery", "must be of the form"),
        ("no_such_msgs/msg/Thing", "package 'no_such_msgs'.*not installed"),
        ("frs_msgs/msg/Nothing", "'frs_msgs/msg/Nothing' has no definition"),
    ],
)
def test_what_is_not_there_is_named(message_type: str, complaint: str) -> None:
    with pytest.raises(JournalError, match=complaint):
        definition(message_type)
