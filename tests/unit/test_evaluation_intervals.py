"""Confidence intervals, against published and hand-computed values."""

import numpy as np
import pytest

from evaluation.intervals import Interval, bootstrap_mean, paired_rate_difference, wilson


def test_wilson_gives_the_published_interval() -> None:
    # Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I.
    for successes, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        interval = wilson(successes, n)
        assert interval.low == pytest.approx(low, abs=1e-4)
        assert interval.high == pytest.approx(high, abs=1e-4)


@pytest.mark.parametrize("n", [1, 2, 7, 200, 10_000])
def test_wilson_stays_within_rates_and_holds_the_rate_itself(n: int) -> None:
    for successes in {0, 1, n // 2, n}:
        interval = wilson(successes, n)
        assert 0.0 <= interval.low <= successes / n <= interval.high <= 1.0


def test_without_trials_any_rate_is_possible() -> None:
    assert wilson(0, 0) == Interval(0.0, 1.0)
    assert paired_rate_difference([], []) == Interval(-1.0, 1.0)


def test_arms_that_agree_on_five_tasks_may_still_differ() -> None:
    outcomes = [True, True, False, False, False]
    interval = paired_rate_difference(outcomes, outcomes)
    assert interval.low == -interval.high
    assert interval.high > 0.1


def test_a_paired_difference_changes_its_sign_with_the_order_of_the_arms() -> None:
    first = [True] * 30 + [False] * 10
    second = [True] * 22 + [False] * 8 + [True] * 3 + [False] * 7
    ahead, behind = paired_rate_difference(first, second), paired_rate_difference(second, first)
    assert ahead.low == pytest.approx(-behind.high)
    assert ahead.high == pytest.approx(-behind.low)
    assert ahead.low < 5 / 40 < ahead.high


def test_pairing_makes_the_difference_of_correlated_arms_surer() -> None:
    first = [True] * 50 + [False] * 50
    same_tasks = [True] * 45 + [False] * 55
    other_tasks = [False] * 50 + [True] * 45 + [False] * 5
    paired = paired_rate_difference(first, same_tasks)
    opposed = paired_rate_difference(first, other_tasks)
    assert paired.high - paired.low < opposed.high - opposed.low


def test_a_paired_difference_holds_its_level() -> None:
    """In simulated runs of 60 tasks the true difference lies within 19 intervals of 20."""
    random = np.random.default_rng(0)
    runs, held = 1000, 0
    for _ in range(runs):
        easy = random.random(60) < 0.4
        first = easy | (random.random(60) < 0.25)
        second = easy & (random.random(60) < 0.9)
        interval = paired_rate_difference(first.tolist(), second.tolist())
        held += interval.low <= (0.4 + 0.6 * 0.25) - 0.4 * 0.9 <= interval.high
    assert 0.93 <= held / runs <= 0.98


def test_a_bootstrap_is_near_the_normal_interval_and_follows_its_seed() -> None:
    values = np.random.default_rng(1).normal(10.0, 2.0, size=400).tolist()
    interval = bootstrap_mean(values, seed=3)
    mean, reach = np.mean(values), 1.96 * np.std(values) / 20
    assert interval.low == pytest.approx(mean - reach, abs=0.02)
    assert interval.high == pytest.approx(mean + reach, abs=0.02)
    assert bootstrap_mean(values, seed=3) == interval
    assert bootstrap_mean(values, seed=4) != interval
