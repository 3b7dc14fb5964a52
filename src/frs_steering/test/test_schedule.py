"""When the next decision begins."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frs_steering.steer.schedule import MARGIN, UNMEASURED_LEAD, Schedule

ROW = 1 / 15


def measured(*durations: float, execute_rows: int = 8) -> Schedule:
    """A schedule that has seen these durations, warm-up apart."""
    schedule = Schedule(execute_rows, ROW)
    for number, duration in enumerate((9.9, *durations), 1):
        schedule.sent(number, 0, duration)
    return schedule


def test_lead_before_anything_is_measured():
    assert Schedule(8, ROW).lead == UNMEASURED_LEAD
    assert Schedule(1, ROW).lead == 1


def test_warm_up_is_not_counted():
    assert measured().lead == UNMEASURED_LEAD
    assert measured(0.02).lead == 1


@pytest.mark.parametrize(
    ("duration", "lead"),
    [(0.02, 1), (ROW - MARGIN - 1e-6, 1), (ROW - MARGIN + 1e-6, 2), (0.15, 3), (5.0, 4)],
)
def test_lead_follows_the_duration(duration, lead):
    assert measured(duration).lead == lead


def test_only_the_last_twenty_count_and_one_outlier_does_not_rule():
    assert measured(*[0.2] * 20, *[0.02] * 20).lead == 1
    assert measured(*[0.02] * 19, 0.3).lead == 1
    assert measured(*[0.02] * 15, *[0.2] * 5).lead == 4


def test_due_at_once_when_nothing_drives():
    assert Schedule(8, ROW).is_due(tick=5, chunk_id=0, row=-1)


def test_due_when_the_rows_left_equal_the_lead():
    schedule = measured(0.02)  # its last chunk is number 2
    assert [row for row in range(16) if schedule.is_due(100 + row, 2, row)] == list(range(7, 16))


def test_not_due_while_a_sent_chunk_is_on_its_way():
    schedule = Schedule(8, ROW)
    schedule.sent(1, 100, 0.02)
    assert not schedule.is_due(101, 0, -1)
    assert not schedule.is_due(102, 0, -1)
    assert schedule.is_due(103, 0, -1)  # it was not admitted


def test_controller_started_again_is_not_waited_for():
    schedule = Schedule(8, ROW)
    schedule.sent(1, 100, 0.02)
    assert schedule.is_due(1, 0, -1)


@given(st.lists(st.floats(0.001, 0.4), min_size=1, max_size=60), st.integers(2, 12))
def test_chunks_follow_each_other_without_a_gap_or_an_early_cut(durations, execute_rows):
    """A controller at 15 Hz that takes over as soon as a chunk comes: `execute_rows` rows are driven of each
    chunk, give or take what the next decision's duration differed from the lead that was planned for it.
    """
    schedule, tick, chunk_id, first_tick = Schedule(execute_rows, ROW), 0, 0, 0
    for number, duration in enumerate(durations, 1):
        row = tick - first_tick if chunk_id else -1
        while not schedule.is_due(tick, chunk_id, row):
            tick += 1
            row = tick - first_tick
        planned = schedule.lead
        begun = tick
        arrives = begun + max(1, -int(-duration // ROW))  # the tick that first drives it
        schedule.sent(number, arrives - 1, duration)
        if chunk_id:
            driven_of_last = arrives - first_tick
            late = max(0, arrives - begun - planned)
            assert driven_of_last <= max(execute_rows, row + planned) + late
            assert driven_of_last >= execute_rows - planned
        assert not schedule.is_due(arrives - 1, chunk_id, arrives - 1 - first_tick if chunk_id else -1)
        chunk_id, first_tick, tick = number, begun + 1, arrives
    assert 1 <= schedule.lead <= max(1, execute_rows // 2)


def test_a_decision_is_overdue_after_twice_the_usual_time_but_not_at_once():
    assert measured().patience == math.inf
    assert measured(0.05, 0.05).patience == pytest.approx(0.3)
    assert measured(0.4).patience == pytest.approx(0.8)
