"""How well the scores of a metric agree with labels, over the problems that programs solve.

Each correlation is made ready for some problems and then told of any choice of them, so that a
bootstrap over problems repeats nothing. The two Kendall coefficients of ICE-Score and the tau of
CodeBERTScore differ in definition, and are never to be compared with one another.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from evaluation.intervals import Statistic

TIE = 0.001  # scores that differ by less


@dataclass(frozen=True, slots=True)
class ScoredProblem:
    """The labels and the scores of one problem's programs, in the same order.

    `scores` may be of any scale; the higher, the better.
    """

    labels: NDArray[np.float64]
    scores: NDArray[np.float64]


Correlation = Callable[[Sequence[ScoredProblem]], Statistic]


def tau_within(problems: Sequence[ScoredProblem]) -> Statistic:
    """da-RR tau: (C - D) / (C + D + T) of all pairs of programs for the same problem.

    Pairs of equal labels do not count, scores nearer than `TIE` are tied. NaN without pairs.
    Source: Zhou et al., "CodeBERTScore" (2023), section 4, after Stanchev et al. (2020).
    """
    counts = np.array([ranked_pairs(problem) for problem in problems])  # [problems, C D T]

    def tau(chosen: NDArray[np.intp]) -> float:
        concordant, discordant, tied = map(int, counts[chosen].sum(axis=0))
        total = concordant + discordant + tied
        return (concordant - discordant) / total if total else float("nan")

    return tau


def ranked_pairs(problem: ScoredProblem) -> tuple[int, int, int]:
    """How many pairs of differing labels the scores rank alike, the other way, and not at all."""
    better = problem.labels[:, None] > problem.labels[None, :]
    apart = (problem.scores[:, None] - problem.scores[None, :])[better]
    concordant, discordant = int((apart >= TIE).sum()), int((apart <= -TIE).sum())
    return concordant, discordant, len(apart) - concordant - discordant


def kendall_example(problems: Sequence[ScoredProblem]) -> Statistic:
    """The mean of each problem's Kendall tau-b; those that have none, all labels being one, are
    left out. Source: Zhuo, "ICE-Score" (2023), section 4 (example level)."""
    taus = np.array([kendall(problem.labels, problem.scores) for problem in problems])

    def mean(chosen: NDArray[np.intp]) -> float:
        known = taus[chosen]
        known = known[~np.isnan(known)]
        return float(known.mean()) if len(known) else float("nan")

    return mean


def kendall_corpus(problems: Sequence[ScoredProblem]) -> Statistic:
    """Kendall's tau-b of all programs together. Source: Zhuo 2023, section 4 (corpus level)."""
    return over_programs(problems, kendall)


def spearman(problems: Sequence[ScoredProblem]) -> Statistic:
    """Spearman's rank correlation of all programs together. Source: Zhou et al. 2023, section 4."""
    return over_programs(problems, rank_correlation)


def over_programs(
    problems: Sequence[ScoredProblem],
    coefficient: Callable[[NDArray[np.float64], NDArray[np.float64]], float],
) -> Statistic:
    def of_all(chosen: NDArray[np.intp]) -> float:
        return coefficient(
            np.concatenate([problems[index].labels for index in chosen]),
            np.concatenate([problems[index].scores for index in chosen]),
        )

    return of_all


def kendall(labels: NDArray[np.float64], scores: NDArray[np.float64]) -> float:
    """tau-b, NaN where either is constant."""
    return float(stats.kendalltau(labels, scores).statistic)


def rank_correlation(labels: NDArray[np.float64], scores: NDArray[np.float64]) -> float:
    """The correlation of ranks, NaN where either is constant."""
    if np.ptp(labels) == 0 or np.ptp(scores) == 0:
        return float("nan")
    return float(np.corrcoef(stats.rankdata(labels), stats.rankdata(scores))[0, 1])


CORRELATIONS: Mapping[str, Correlation] = {
    "tau_within": tau_within,
    "spearman": spearman,
    "kendall_example": kendall_example,
    "kendall_corpus": kendall_corpus,
}
