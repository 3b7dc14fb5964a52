"""Statistics of successes and failures: intervals, and what may be said about two methods on the same scenes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z = 1.96
"""Standard normal quantile of a two-sided 95 % interval."""


def wilson(successes: float, n: float) -> tuple[float, float]:
    """95 % Wilson score interval of a success rate (Wilson 1927); (0, 1) where n is 0."""
    if n == 0:
        return 0.0, 1.0
    rate, square = successes / n, Z * Z / n
    centre = rate + square / 2
    half = Z * math.sqrt(rate * (1 - rate) / n + square / (4 * n))
    # Rounding must not leave the rate outside: at 0 and n it is an end of the interval exactly.
    low = 0.0 if successes == 0 else (centre - half) / (1 + square)
    high = 1.0 if successes == n else (centre + half) / (1 + square)
    return low, high


def clustered_share(counts: Sequence[int], totals: Sequence[int]) -> tuple[float, float, float]:
    """A share over clusters, and its 95 % interval: what is counted within one episode is not independent.

    The Wilson interval for the effective number of trials: as many independent ones as have the variance of the ratio
    estimator over clusters (linearised; Cochran, Sampling Techniques, 1977, section 6.3). Where the clusters show no
    variance, each counts as one trial.

    Args:
        counts: hits in each cluster.
        totals: trials in each cluster.

    Returns:
        Share, low, high; (nan, 0, 1) where nothing was counted.
    """
    clusters, total = len(totals), sum(totals)
    if total == 0:
        return math.nan, 0.0, 1.0
    hits = sum(counts)
    share = hits / total
    # In whole numbers: rounding would show a variance where there is none.
    spread = sum((count * total - hits * size) ** 2 for count, size in zip(counts, totals, strict=True))
    effective = float(clusters)
    if spread:
        variance = clusters / (clusters - 1) * spread / total**4
        effective = min(float(total), max(1.0, share * (1.0 - share) / variance))
    return share, *wilson(share * effective, effective)


@dataclass(frozen=True)
class Paired:
    """Two methods on the same scenes.

    Attributes:
        n: scenes.
        first_only: scenes in which only the first succeeded.
        second_only: scenes in which only the second succeeded.
    """

    n: int
    first_only: int
    second_only: int

    @property
    def difference(self) -> float:
        """-1..1, the first's success rate minus the second's."""
        return (self.first_only - self.second_only) / self.n if self.n else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the difference: adjusted Wald for paired data (Bonett and Price 2012)."""
        first, second = (self.first_only + 1) / (self.n + 2), (self.second_only + 1) / (self.n + 2)
        middle = first - second
        half = Z * math.sqrt((first + second - middle * middle) / (self.n + 2))
        return max(-1.0, middle - half), min(1.0, middle + half)

    @property
    def p(self) -> float:
        """Exact two-sided McNemar test (McNemar 1947; binomial): the chance of a split as uneven, were both equal."""
        discordant = self.first_only + self.second_only
        fewer = min(self.first_only, self.second_only)
        return min(1.0, 2 * sum(math.comb(discordant, k) for k in range(fewer + 1)) / 2**discordant)
