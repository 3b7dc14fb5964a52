"""Tests of frs_bringup.summary and frs_bringup.measures, on recordings made by the journal's own writer."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from frs_msgs.msg import ArmState, Decision, EpisodeEvent, GateReport, PolicyInfo, TaskState
from hypothesis import given
from hypothesis import strategies as st
from journal_samples import CHANNELS, INDEX, START, TICK
from rclpy.serialization import serialize_message

from frs_bringup.measures import decisions_by_source, seams, stat, ticks
from frs_bringup.summary import SOURCES, SummaryError, summarise_episode, table
from frs_steering.record.errors import JournalError
from frs_steering.record.writer import Episode, JournalWriter, Limits

CHUNK, LEAD = 8, 2  # ticks that a chunk drives; rows that are discarded at a seam
TICKS = 24
DONE = 22  # tick at which the task is done


@dataclass
class Recording:
    """An episode tick by tick."""

    messages: list[tuple[int, str, Any]] = field(default_factory=list)

    def add(self, tick: float, topic: str, message: Any) -> None:
        self.messages.append((START + int(tick * TICK), topic, message))

    def write(self, directory: Path) -> Path:
        writer = JournalWriter(directory, Episode("sample", "egg_in_basket", "put it in", 7), CHANNELS, Limits())
        for stamp, topic, message in sorted(self.messages, key=lambda one: one[0]):
            writer.put(INDEX[topic], serialize_message(message), stamp, stamp)
        writer.close("succeeded")
        return directory / "sample"


def event(kind: int, note: str = "") -> EpisodeEvent:
    return EpisodeEvent(
        kind=kind,
        episode_id="sample",
        task="egg_in_basket",
        instruction="put it in",
        seed=7,
        author="episode",
        note=note,
    )


def decision(chunk_id: int, *, steered: bool) -> Decision:
    made = Decision(chunk_id=chunk_id, owner_epoch=5, deferred=not steered)
    made.source = Decision.SOURCE_SCRIPTED if steered else Decision.SOURCE_BASE
    times = made.timings
    times.camera_age, times.wait, times.prepare, times.transport = 0.040, 0.0, 0.001, 0.0005
    times.encode, times.reverse, times.denoise = 0.010 * chunk_id, 0.030 if steered else 0.0, 0.030
    times.total = 0.1
    return made


def episode(*, ends: bool = True) -> Recording:
    """Three chunks; tick 16 starves before the third, which the policy made alone."""
    recording = Recording()
    recording.add(0, "policy_info", PolicyInfo(name="embedded", weights_sha256="abc", row_duration=1 / 15))
    recording.add(1, "episode_event", event(EpisodeEvent.STARTED))
    driven = starved = 0
    for tick in range(2, TICKS + 6):
        task = TaskState(task="egg_in_basket", step=100 + tick, step_limit=300, success=tick >= DONE)
        recording.add(tick, "task_state", task)
        chunk_id = 1 + (tick - 2) // CHUNK if tick < TICKS else 0
        if tick == 16 or not chunk_id:
            chunk_id = 0
            starved += 1
        else:
            driven += 1
        row = -1 if not chunk_id else LEAD + (tick - 2) % CHUNK
        state = ArmState(
            tick=tick, chunk_id=chunk_id, row=row, owner_epoch=5, ticks_driven=driven, ticks_starved=starved
        )
        state.state = ArmState.RUNNING if chunk_id else ArmState.HOLDING
        recording.add(tick + 0.1, "arm_state", state)
        report = GateReport(tick=tick, chunk_id=chunk_id, row=row, gate_duration=0.0002, tick_lateness=0.001)
        report.verdict = GateReport.ACCEPTED if chunk_id else GateReport.HELD
        report.commanded = [0.1 * chunk_id + 0.01 * (tick % 2)] + [0.0] * 6
        recording.add(tick + 0.2, "gate_report", report)
        if chunk_id and row == LEAD:
            recording.add(tick - 0.1, "decision", decision(chunk_id, steered=chunk_id < 3))
            whole = GateReport(
                tick=tick - 1, chunk_id=chunk_id, row=-1, verdict=GateReport.ACCEPTED, gate_duration=0.01
            )
            recording.add(tick - 0.05, "gate_report", whole)
    if ends:
        recording.add(TICKS + 8, "episode_event", event(EpisodeEvent.SUCCEEDED, "success"))
    return recording


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return summarise_episode(episode().write(tmp_path_factory.mktemp("bags")))


def test_what_was_done(summary: dict[str, Any]) -> None:
    assert summary["success"] is True
    assert summary["label"] == "succeeded"
    assert (summary["task"], summary["seed"], summary["instruction"]) == ("egg_in_basket", 7, "put it in")
    assert (summary["steps"], summary["step_limit"]) == (DONE - 2, 300)
    assert summary["duration_s"] == pytest.approx((DONE - 1) / 15, abs=1e-3)
    assert summary["policy"] == {"name": "embedded", "weights_sha256": "abc"}


def test_who_decided(summary: dict[str, Any]) -> None:
    assert summary["chunks"] == 3
    assert summary["decisions"] == {"base": 1, "human": 0, "vlm": 0, "scripted": 2, "noise_policy": 0}
    assert summary["deferred"] == 1


def test_ticks_count_until_the_task_is_done(summary: dict[str, Any]) -> None:
    # The arm's coming to rest after tick 22 is no starvation.
    assert summary["ticks"] == {"driven": 19, "starved": 1, "fresh_share": 0.95}


def test_a_drive_that_dies_is_measured_until_the_step_limit(tmp_path: Path) -> None:
    """The last row drives long before the limit: the steps after it are steps too, and starved ones."""
    recording = episode(ends=False)
    limit = 24
    for _, topic, message in recording.messages:
        if topic == "task_state":
            message.success, message.step_limit = False, limit
    recording.add(TICKS + 8, "episode_event", event(EpisodeEvent.FAILED, f"no success within {limit} control steps"))
    summary = summarise_episode(recording.write(tmp_path))
    assert (summary["steps"], summary["step_limit"]) == (limit, limit)
    assert summary["ticks"] == {"driven": 21, "starved": 1 + 2, "fresh_share": 0.875}


def test_stages_in_ms(summary: dict[str, Any]) -> None:
    stages = summary["stages_ms"]
    assert stages["camera_age"] == {"p50": 40.0, "p99": 40.0, "n": 3}
    assert stages["reverse"] == {"p50": 30.0, "p99": 30.0, "n": 2}  # the policy alone reverses nothing
    assert stages["encode"]["p50"] == pytest.approx(20.0)
    assert stages["wait"] == {"p50": 0.0, "p99": 0.0, "n": 3}
    assert stages["gate"]["p50"] == pytest.approx(0.2)  # the whole chunks' 10 ms are not among them
    assert stages["tick_lateness"]["p99"] == pytest.approx(1.0)


def test_seams(summary: dict[str, Any]) -> None:
    assert summary["seam"]["delay_ms"]["p50"] == pytest.approx(LEAD / 15 * 1e3, abs=0.01)
    assert summary["seam"]["velocity_jump"]["p50"] == pytest.approx(0.1, abs=0.011)
    assert summary["seam"]["velocity_change"]["p50"] == pytest.approx(0.01)


def test_the_table_tells_the_main_things(summary: dict[str, Any]) -> None:
    text = table(summary)
    assert "yes (success)" in text
    assert "95.0 % of the control steps that were due one, 1 starved" in text
    assert "1 base, 2 scripted; deferred to the policy: 1" in text
    assert "a chunk takes over 133 ms after its observation" in text
    assert "camera_age" in text


def test_a_recording_that_breaks_off_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SummaryError, match="holds no end of an episode"):
        summarise_episode(episode(ends=False).write(tmp_path))
    with pytest.raises(JournalError):
        summarise_episode(tmp_path / "absent")


def test_nothing_measured_is_null_not_zero() -> None:
    assert stat([]) == {"p50": None, "p99": None, "n": 0}
    assert stat([float("nan")])["n"] == 0
    assert ticks([]) == {"driven": 0, "starved": 0, "fresh_share": None}
    assert seams([], [], 1 / 15)["delay_ms"]["p50"] is None


@given(st.lists(st.integers(0, 3), max_size=30))
def test_ticks_survive_a_new_claim(claims: list[int]) -> None:
    """Each claim begins to count anew; none of its driven ticks is lost or counted twice."""
    states, expected = [], 0
    for epoch, length in enumerate(claims, start=1):
        for n in range(1, length + 1):
            states.append(SimpleNamespace(state=2, owner_epoch=epoch, ticks_driven=n, ticks_starved=0))
            expected += 1
    assert ticks(states)["driven"] == expected


@given(st.lists(st.sampled_from([0, 1, 2, 3, 4, 9])))
def test_every_decision_is_counted_once(sources: list[int]) -> None:
    counts = decisions_by_source([SimpleNamespace(source=source) for source in sources], SOURCES)
    assert sum(counts.values()) == len(sources)
