"""Control steps are counted from the first that a chunk drove."""

from __future__ import annotations

from frs_steering.arm.tally import Tally


def test_nothing_is_starved_before_the_first_chunk_or_in_a_pause() -> None:
    tally = Tally().counted(driven=False, skipped=3)
    assert tally == Tally()
    tally = tally.counted(driven=True, skipped=0)
    assert tally.paused().counted(driven=False, skipped=2) == Tally(driven=1)


def test_steps_that_were_missed_and_those_without_a_row_are_starved() -> None:
    tally = Tally().counted(driven=True, skipped=0).counted(driven=True, skipped=2).counted(driven=False, skipped=1)
    assert tally == Tally(driven=2, starved=4, expects=True)
