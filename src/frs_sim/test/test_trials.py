"""Counting successes."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frs_sim.eval_command import table
from frs_sim.evaluation import Episode
from frs_sim.trials import Trial, run_trials, score, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(0, 50, 0.0, 0.0713), (25, 50, 0.3664, 0.6336), (50, 50, 0.9287, 1.0), (8, 10, 0.4902, 0.9433)],
)
def test_wilson_intervals_as_published(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == pytest.approx((low, high), abs=1e-3)


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_rate(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    low, high = wilson(successes, n)
    assert 0.0 <= low <= successes / n + 1e-12 and successes / n - 1e-12 <= high <= 1.0


def test_scores_and_table() -> None:
    rows = [
        (Trial("t", method, seed, 10, None), Episode("t", seed, method == "frs", good, 100, 10, {}, 100))
        for method, outcomes in (("base", [False, False]), ("frs", [True, False]))
        for seed, good in enumerate(outcomes)
    ]
    scores = score(rows)
    assert [(s.method, s.n, s.successes) for s in scores] == [("base", 2, 0), ("frs", 2, 1)]
    assert "| t | frs | 50 % |" in table(scores)


def test_rows_that_are_there_are_not_run_again(tmp_path: Path) -> None:
    trials = [Trial("egg_in_basket", "base", 100_000, 1, None)]
    first = run_trials(trials, 1, tmp_path)
    rows = (tmp_path / "episodes.jsonl").read_text()
    assert len(rows.splitlines()) == 1
    assert json.loads(rows)["method"] == "base"
    assert run_trials(trials, 1, tmp_path) == first
    assert (tmp_path / "episodes.jsonl").read_text() == rows
