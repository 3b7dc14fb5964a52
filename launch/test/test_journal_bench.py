"""What bench/journal.py counts as lost, and as cost."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from frs_msgs.msg import ActionChunk, ArmState, Decision, GateReport, PolicyInput
from rclpy.serialization import serialize_message

from frs_steering.record.bag import installed_channel
from frs_steering.record.writer import Episode, JournalWriter, Limits

TOPICS = {
    "arm_state": ArmState,
    "gate_report": GateReport,
    "decision": Decision,
    "action_chunk": ActionChunk,
    "policy_input": PolicyInput,
}
KEEP_ALL: Callable[[str, int], bool] = lambda topic, number: True  # noqa: E731


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "bench"))
    return importlib.import_module("journal")


def messages(number: int) -> dict[str, Any]:
    """A control step, and with it a decision that has been made from an input of its own."""
    made: dict[str, Any] = {
        "arm_state": ArmState(tick=number),
        "gate_report": GateReport(tick=number, row=0),
        "policy_input": PolicyInput(seed=number),
        "decision": Decision(chunk_id=number, owner_epoch=7, seed=number),
        "action_chunk": ActionChunk(chunk_id=number, owner_epoch=7),
    }
    for name in ("policy_input", "decision"):
        made[name].header.stamp.sec = number
    return made


def recorded(directory: Path, keep: Callable[[str, int], bool]) -> Path:
    """Ten control steps without what is not to be kept."""
    channels = [installed_channel(f"/{name}", f"frs_msgs/msg/{kind.__name__}") for name, kind in TOPICS.items()]
    writer = JournalWriter(directory, Episode("e1"), channels, Limits())
    for number in range(1, 11):
        for name, message in messages(number).items():
            if keep(name, number):
                writer.put(list(TOPICS).index(name), serialize_message(message), number, number)
    return writer.close("stopped").path


def test_a_whole_file_has_lost_nothing(bench: ModuleType, tmp_path: Path) -> None:
    lost, steps, decisions = bench._lost(recorded(tmp_path, KEEP_ALL))
    assert (steps, decisions) == (10, 10)
    assert set(lost.values()) == {0}


@pytest.mark.parametrize("topic", TOPICS)
def test_each_record_that_is_missing_is_counted_where_it_belongs(bench: ModuleType, tmp_path: Path, topic: str) -> None:
    lost, _, _ = bench._lost(recorded(tmp_path, lambda name, number: name != topic or number not in (4, 5)))
    assert {what.partition(",")[0]: count for what, count in lost.items() if count} == {topic: 2}


def test_what_came_before_the_recording_is_not_lost(bench: ModuleType, tmp_path: Path) -> None:
    lost, _, _ = bench._lost(recorded(tmp_path, lambda name, number: name != "policy_input" or number > 1))
    assert set(lost.values()) == {0}


def test_the_cost_is_that_of_all_pairs_together(bench: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    def block(late: float, total: float) -> Any:  # ms
        return bench.Block(np.full(900, 1e-3 * late), np.full(100, 1e-3 * total))

    assert bench.print_cost([(block(1.0, 50.0), block(1.5, 55.0)), (block(2.0, 60.0), block(2.2, 80.0))])
    said = " ".join(capsys.readouterr().out.split())
    assert "1.50, 2.00 (1800) | 1.85, 2.20 (1800) | +0.20 (+0.20 .. +0.50) | at most 1: met |" in said
    assert "55.00, 60.00 (200) | 67.50, 80.00 (200) | +20.00 (+5.00 .. +20.00) |" in said
    assert not bench.print_cost([(block(1.0, 50.0), block(2.5, 50.0))])
    assert "| at most 1: missed |" in capsys.readouterr().out
