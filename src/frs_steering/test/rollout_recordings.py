"""Recordings of rollouts for the tests of training: decisions as messages, and what the gate said of them."""

from __future__ import annotations

from pathlib import Path

from frs_msgs.msg import Decision
from rclpy.serialization import serialize_message
from rollout_samples import messages

from frs_steering.record.bag import installed_channel
from frs_steering.record.writer import Episode, JournalWriter, Limits


def record(
    folder: Path, name: str, label: str = "succeeded", *, count: int = 12, seed: int = 0,
    task: str = "egg_in_basket", instruction: str = "",
) -> Path:  # fmt: skip
    """Write one; returns its file."""
    channels = [installed_channel(f"/{t}", f"frs_msgs/msg/{m}") for t, m in
                (("decision", "Decision"), ("gate_report", "GateReport"))]  # fmt: skip
    writer = JournalWriter(folder, Episode(name, task, instruction), channels, Limits())
    for number, message in enumerate(messages(count, seed), start=1):
        writer.put(0 if isinstance(message, Decision) else 1, serialize_message(message), number, number)
    return writer.close(label).path
