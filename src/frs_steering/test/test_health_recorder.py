"""What the recorder says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from frs_steering.health.recorder import disk_health, file_health, topics_health
from frs_steering.health.report import Level
from frs_steering.record.writer import Progress


def progress(**change: Any) -> Progress:
    given = {"dropped_control": 0, "dropped_images": 0, "failure": "", "complaint": "", "whole": False} | change
    return Progress(Path("/runs/e1.mcap.partial"), 7, 900, **given)


@pytest.mark.parametrize(
    ("change", "level", "words"),
    [
        ({}, Level.OK, "recording to /runs/e1.mcap.partial"),
        ({"failure": "File too large"}, Level.ERROR, "File too large; what came before is whole"),
        ({"dropped_control": 3}, Level.ERROR, "control records are lost, on their way or before a disk"),
        ({"complaint": "an image is torn"}, Level.WARN, "an image is torn"),
        ({"dropped_images": 3}, Level.WARN, "images are left out"),
    ],
)
def test_a_recording_says_what_it_lost(change: dict[str, Any], level: Level, words: str) -> None:
    said = file_health(progress(**change), "")
    assert said.level is level and said.message.startswith(words)
    assert said.values["messages"] == "7"


def test_without_a_recording_it_says_so_and_why() -> None:
    assert file_health(None, "").message == "not recording: call recorder/start"
    refused = file_health(None, "e1 exists already")
    assert (refused.level, refused.message) == (Level.ERROR, "not recording: e1 exists already")


def test_the_disk() -> None:
    assert disk_health("/runs", 600.0, "", 10.0).level is Level.OK
    assert "less than 10 minutes" in disk_health("/runs", 3.0, "", 10.0).message
    unwritable = disk_health("/runs", None, "Permission denied", 10.0)
    assert (unwritable.level, unwritable.message) == (Level.ERROR, "can't write to /runs: Permission denied")


def test_topics_are_named_in_the_message_and_their_rates_in_the_values() -> None:
    assert topics_health([], recording=False).level is Level.OK
    lines = ["joint_states comes 3.5 times a second; it should 15 times", "policy_info never came"]
    said = topics_health(lines, recording=True)
    assert said.level is Level.WARN
    assert said.message == "the recording lacks what it should have of joint_states, policy_info: see their nodes"
    assert said.values == {"1": lines[0], "2": lines[1]}
