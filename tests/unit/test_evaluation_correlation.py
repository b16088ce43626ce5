"""Correlations of scores with labels, against pairs counted by hand and published figures."""

import numpy as np
import pytest

from evaluation.correlation import (
    CORRELATIONS,
    ScoredProblem,
    kendall_corpus,
    kendall_example,
    spearman,
    tau_within,
)
from evaluation.graded_programs import GradedProgram, by_problem, read_humaneval, read_ice
from evaluation.intervals import bootstrap, percentiles
from evaluation.metrics.overlap import token_dice
from tests.conftest import SHARED_DATA

needs_data = pytest.mark.skipif(
    not SHARED_DATA.is_dir(), reason="the benchmark data is not on this machine"
)


def scored(labels: list[float], scores: list[float]) -> ScoredProblem:
    return ScoredProblem(np.array(labels), np.array(scores))


EASY = scored([1, 1, 0], [0.9, 0.8, 0.1])
HARD = scored([0, 0, 1], [0.7, 0.5, 0.5005])
ALWAYS_RIGHT = scored([1, 1], [0.2, 0.6])


def test_tau_within_counts_pairs_of_one_problem_and_ties_of_near_scores() -> None:
    # EASY: two concordant pairs. HARD: one discordant, one tied. ALWAYS_RIGHT: none.
    tau = tau_within([EASY, HARD, ALWAYS_RIGHT])
    assert tau(np.arange(3)) == (2 - 1) / (2 + 1 + 1)
    assert tau(np.array([0, 0])) == 1
    assert np.isnan(tau(np.array([2])))


def test_example_level_is_the_mean_of_the_problems_that_have_a_coefficient() -> None:
    tau = kendall_example([EASY, HARD, ALWAYS_RIGHT])
    single = [kendall_example([one])(np.array([0])) for one in (EASY, HARD)]
    assert tau(np.arange(3)) == pytest.approx(np.mean(single))


def test_corpus_level_and_spearman_take_all_programs_together() -> None:
    together = scored([*EASY.labels, *HARD.labels], [*EASY.scores, *HARD.scores])
    for correlation in (kendall_corpus, spearman):
        apart = correlation([EASY, HARD])(np.arange(2))
        assert apart == pytest.approx(correlation([together])(np.array([0])))


@pytest.mark.parametrize("name", CORRELATIONS)
def test_scores_in_the_order_of_the_labels_correlate_most(name: str) -> None:
    right = scored([0, 0, 1, 1], [0.1, 0.1, 0.9, 0.9])
    wrong = scored([0, 0, 1, 1], [0.9, 0.9, 0.1, 0.1])
    assert CORRELATIONS[name]([right])(np.array([0])) == pytest.approx(1)
    assert CORRELATIONS[name]([wrong])(np.array([0])) == pytest.approx(-1)


def test_a_paired_difference_is_narrower_than_what_it_is_a_difference_of() -> None:
    random = np.random.default_rng(0)
    ones, others = [], []
    for _ in range(40):
        labels = random.integers(0, 2, 10).astype(float)
        scores = labels * random.uniform(0, 1) + random.uniform(0, 1, 10)
        ones.append(ScoredProblem(labels, scores))
        others.append(ScoredProblem(labels, scores + 0.01 * random.uniform(0, 1, 10)))
    first, second = (bootstrap(tau_within(problems), 40, seed=1) for problems in (ones, others))
    apart, together = percentiles(first), percentiles(first - second)
    assert together.high - together.low < (apart.high - apart.low) / 4


def problems_of(programs: list[GradedProgram], name: str) -> list[ScoredProblem]:
    return [
        scored([float(one.passed) for one in ones], [one.published[name] for one in ones])
        for ones in by_problem(programs).values()
    ]


@needs_data
def test_published_scores_correlate_as_published() -> None:
    # Zhuo 2023, table 2, Python: example level and corpus level.
    programs = read_ice(SHARED_DATA)
    for name, example, corpus in (
        ("bleu", 0.251, 0.281),
        ("codebleu", 0.272, 0.303),
        ("chrf", 0.262, 0.328),
        ("rougel", 0.240, 0.296),
        ("meteor", 0.276, 0.349),
        ("codebertscore_f1", 0.237, 0.322),
        ("codebertscore_f3", 0.265, 0.360),
        ("gpt35_nswr", 0.318, 0.425),
    ):
        problems = problems_of(programs, name)
        everything = np.arange(len(problems))
        assert kendall_example(problems)(everything) == pytest.approx(example, abs=6e-4)
        assert kendall_corpus(problems)(everything) == pytest.approx(corpus, abs=6e-4)


@needs_data
def test_token_dice_on_all_programs() -> None:
    programs = by_problem(read_humaneval(SHARED_DATA))
    assert (len(programs), sum(map(len, programs.values()))) == (161, 12_973)
    problems = [
        scored(
            [float(one.passed) for one in ones],
            [token_dice(one.text, one.reference) for one in ones],
        )
        for ones in programs.values()
    ]
    assert tau_within(problems)(np.arange(161)) == pytest.approx(0.395, abs=1e-3)
