"""95 % confidence intervals for rates, differences of paired rates, and means.

Pure functions of counts and numbers; nothing here knows what was measured.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
RESAMPLES = 10_000
RESAMPLES_AT_ONCE = 256  # bounds the memory of a bootstrap over many values
FEWER_RESAMPLES = 1_000  # where each takes a look at everything

Statistic = Callable[[NDArray[np.intp]], float]  # of cases that are chosen by index


@dataclass(frozen=True, slots=True)
class Interval:
    """Both ends, in the unit of the quantity itself."""

    low: float
    high: float


def wilson(successes: int, n: int) -> Interval:
    """The score interval of a rate of `successes` in `n` trials, both ends within 0 to 1.

    It holds its level for few trials and for rates near 0 or 1, where the normal approximation
    does not. With no trials at all the rate may be anything.
    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference" (1927).
    """
    assert 0 <= successes <= n
    if n == 0:
        return Interval(0.0, 1.0)
    rate = successes / n
    centre = (rate + Z**2 / (2 * n)) / (1 + Z**2 / n)
    reach = Z / (1 + Z**2 / n) * sqrt(rate * (1 - rate) / n + Z**2 / (4 * n**2))
    # Rounding must not push the interval off a rate of exactly 0 or 1.
    return Interval(min(rate, max(0.0, centre - reach)), max(rate, min(1.0, centre + reach)))


def paired_rate_difference(first: Sequence[bool], second: Sequence[bool]) -> Interval:
    """The interval of rate(first) - rate(second), where both arms tried the same tasks in order.

    Wilson's intervals of the two rates are joined through their correlation, so that agreement on
    every task of a small sample still leaves an interval of honest width, which a bootstrap would
    shrink to a point.
    Source: Newcombe, "Improved confidence intervals for the difference between binomial
    proportions based on paired data" (1998), method 10.
    """
    n = len(first)
    if n == 0:
        return Interval(-1.0, 1.0)
    pairs = list(zip(first, second, strict=True))
    p, q = sum(first) / n, sum(second) / n
    of_p, of_q = wilson(sum(first), n), wilson(sum(second), n)
    phi = corrected_correlation(
        both=pairs.count((True, True)),
        only_first=pairs.count((True, False)),
        only_second=pairs.count((False, True)),
        neither=pairs.count((False, False)),
    )
    below = joint_reach(p - of_p.low, of_q.high - q, phi)
    above = joint_reach(of_p.high - p, q - of_q.low, phi)
    return Interval(max(-1.0, p - q - below), min(1.0, p - q + above))


def joint_reach(of_first: float, of_second: float, correlation: float) -> float:
    """How far a difference may be off, from how far its two terms may be and their correlation."""
    square = of_first**2 - 2 * correlation * of_first * of_second + of_second**2
    return sqrt(max(0.0, square))


def corrected_correlation(both: int, only_first: int, only_second: int, neither: int) -> float:
    """The phi coefficient of a two by two table, a positive one corrected for continuity."""
    n = both + only_first + only_second + neither
    margins = (
        (both + only_first)
        * (only_second + neither)
        * (both + only_second)
        * (only_first + neither)
    )
    if margins == 0:
        return 0.0
    covariance: float = both * neither - only_first * only_second
    if covariance > 0:
        covariance = max(0.0, covariance - n / 2)
    return covariance / sqrt(margins)


def bootstrap_mean(values: Sequence[float], seed: int) -> Interval:
    """The percentile interval of a mean; for a paired difference, give the differences.

    The same seed gives the same interval.
    Source: Efron, "Bootstrap Methods: Another Look at the Jackknife" (1979).
    """
    assert values, "a mean of nothing has no interval"
    random = np.random.default_rng(seed)
    sample = np.asarray(values, dtype=np.float64)
    means = np.empty(RESAMPLES)
    for start in range(0, RESAMPLES, RESAMPLES_AT_ONCE):
        part = means[start : start + RESAMPLES_AT_ONCE]
        drawn = random.integers(0, len(sample), size=(len(part), len(sample)))
        part[:] = sample[drawn].mean(axis=1)
    return percentiles(means)


def bootstrap(statistic: Statistic, cases: int, seed: int) -> NDArray[np.float64]:
    """What a statistic is of cases drawn anew, [resamples]; it may be NaN of some.

    The same seed draws the same cases, so that the difference of two arms' results is paired.
    Source: Efron 1979.
    """
    random = np.random.default_rng(seed)
    draws = (random.integers(0, cases, size=cases) for _ in range(FEWER_RESAMPLES))
    return np.array([statistic(drawn) for drawn in draws])


def percentiles(resampled: NDArray[np.float64]) -> Interval:
    """The interval that holds the middle of what a bootstrap gave; NaN is left out."""
    low, high = np.nanquantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(low), float(high))
