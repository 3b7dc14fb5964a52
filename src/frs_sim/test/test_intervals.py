"""Intervals and comparisons, against published values and by their properties."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frs_sim.intervals import Paired, clustered_share, wilson


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
    assert 0.0 <= low <= successes / n <= high <= 1.0


def test_nothing_is_known_without_episodes() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("first_only", "second_only", "p"),
    # Binomial tail, twice: 2 (1 + 8) / 2^8; 2 / 2^6; and what can't be told apart.
    [(7, 1, 18 / 256), (0, 6, 2 / 64), (3, 3, 1.0), (0, 0, 1.0)],
)
def test_exact_mcnemar(first_only: int, second_only: int, p: float) -> None:
    assert Paired(50, first_only, second_only).p == pytest.approx(p)


def test_paired_interval_as_by_hand() -> None:
    # Bonett and Price (2012): p12 = 13/52, p21 = 2/52, half = 1.96 sqrt((15/52 - (11/52)^2) / 52).
    paired = Paired(50, 12, 1)
    half = 1.96 * math.sqrt((15 / 52 - (11 / 52) ** 2) / 52)
    assert paired.difference == pytest.approx(0.22)
    assert paired.interval == pytest.approx((11 / 52 - half, 11 / 52 + half))


@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 200))
def test_exchanging_the_two_turns_the_comparison_round(both: int, first: int, second: int) -> None:
    n = both + first + second
    one, other = Paired(n, first, second), Paired(n, second, first)
    assert one.p == other.p <= 1.0
    assert one.interval == pytest.approx(tuple(-end for end in reversed(other.interval)))
    assert -1.0 <= one.interval[0] < one.interval[1] <= 1.0


@given(st.integers(1, 30), st.integers(1, 40), st.data())
def test_clusters_that_are_all_alike_count_as_one_trial_each(clusters: int, size: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, size))
    share, *interval = clustered_share([hits] * clusters, [size] * clusters)
    assert share == hits / size
    assert interval == pytest.approx(wilson(share * clusters, clusters))


def test_decisions_of_one_episode_are_no_independent_ones() -> None:
    alone = clustered_share([1, 0] * 50, [1] * 100)
    together = clustered_share([10, 0] * 5, [10] * 10)
    assert alone[0] == together[0] == 0.5
    assert (alone[2] - alone[1]) * 2 < together[2] - together[1]
    # Clusters of one are independent trials, but for n - 1 in place of n.
    assert alone[1:] == pytest.approx(wilson(50, 100), abs=2e-3)


def test_where_all_clusters_agree_each_counts_once() -> None:
    assert clustered_share([0] * 10, [7] * 10) == (0.0, *wilson(0, 10))
    assert clustered_share([7], [7]) == (1.0, *wilson(1, 1))
    assert math.isnan(clustered_share([], [])[0])


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=20))
def test_the_interval_holds_the_share(clusters: list[tuple[int, int]]) -> None:
    counts, totals = [min(pair) for pair in clusters], [max(pair) for pair in clusters]
    share, low, high = clustered_share(counts, totals)
    assert math.isnan(share) or 0.0 <= low <= share <= high <= 1.0
