"""`pirouette bench metrics`: how well each metric tells programs that work from those that do not.

A metric scores programs by how near they are to a solution, and is judged by the tests that the
programs passed or failed. This module must not know how any score is made.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isnan
from pathlib import Path

import numpy as np

from evaluation.correlation import CORRELATIONS, ScoredProblem
from evaluation.graded_programs import (
    HUMANEVAL,
    ICE,
    PUBLISHED,
    READERS,
    GradedProgram,
    ScorePrograms,
    by_problem,
)
from evaluation.intervals import bootstrap, percentiles
from evaluation.judges.judge import Judge
from evaluation.kept_results import KeptResults
from evaluation.metrics.judged import judge_scores
from evaluation.provenance import made_here, own_commit
from evaluation.results import BenchResult, Metric, Row, metric, rate
from models.progress import Progress, ProgressCallback

BASELINE = "dice"
HELD_OUT = f"{HUMANEVAL} held out"
# What each set was published with; the three Kendall coefficients are not comparable.
MEASURED: Mapping[str, tuple[str, ...]] = {
    HUMANEVAL: ("tau_within", "spearman"),
    HELD_OUT: ("tau_within", "spearman"),
    ICE: ("kendall_example", "kendall_corpus"),
}


@dataclass(frozen=True, slots=True)
class MetricsOptions:
    """The folder that holds `codebertscore/` and `ice-score/`, and how many problems of each.

    `samples` names a JSON-lines file for every score, from which a run that was cut off goes on.
    """

    data: Path
    limit: int | None = None
    seed: int = 0
    samples: Path | None = None
    command: str = "pirouette bench metrics"


@dataclass(frozen=True, slots=True)
class Scored:
    """One arm's scores of one problem's programs, None for one that has none; `labels` tells which
    pass."""

    arm: str
    labels: list[bool]
    scores: list[float | None]

    @property
    def is_whole(self) -> bool:
        return None not in self.scores

    def problem(self, other: "Scored | None" = None) -> ScoredProblem:
        """Of the programs that have a score, where told of the `other` arm's too."""
        both = zip(self.scores, (other or self).scores, strict=True)
        kept = [None not in pair for pair in both]
        labels, scores = (np.array(one, dtype=float)[kept] for one in (self.labels, self.scores))
        return ScoredProblem(labels, scores)


def run_metrics(
    options: MetricsOptions,
    encoder: str,
    metrics: Callable[[], Sequence[ScorePrograms]],
    progress: ProgressCallback,
    judge: Judge | None = None,
) -> BenchResult:
    """Score all programs by all `metrics`, which are made once the data is read.

    `encoder` names what they encode with. A `judge` rates those of ICE-Score too, the ones that
    its method was published on. Progress counts problems. Raises `InputError` for data that is not
    there.
    """
    slices = {
        name: list(by_problem(read(options.data)).items())[: options.limit]
        for name, read in READERS.items()
    }
    by = encoder if judge is None else f"{encoder}, judged by {judge.name}"
    kept = KeptResults(options.samples, f"metrics, {by}, commit {own_commit()}", Scored)
    of_all = metrics()
    judged: list[ScorePrograms] = [] if judge is None else [partial(judge_scores, judge)]
    rows: list[Row] = []
    done, total = 0, sum(map(len, slices.values()))
    for name, problems in slices.items():
        score = [*of_all, *judged] if name == ICE else of_all
        scored: list[list[Scored]] = []
        for problem, programs in problems:
            progress(Progress("metrics", done, total))
            scored.append(kept.get(f"{name}/{problem}", partial(scored_by, score, programs)))
            done += 1
        rows += rows_of(name, scored, options.seed)
        if name == HUMANEVAL:
            apart = set(development(len(scored)))
            held_out = [one for index, one in enumerate(scored) if index not in apart]
            rows += rows_of(HELD_OUT, held_out, options.seed)
    progress(Progress("metrics", total, total))
    return made_here("metrics", options.command, options.seed, rows)


def development(problems: int) -> range:
    """The places of the problems that layers are chosen by: one in four."""
    return range(0, problems, 4)


def scored_by(
    metrics: Sequence[ScorePrograms], programs: Sequence[GradedProgram]
) -> Iterator[Scored]:
    for score in metrics:
        for arm, found in score(programs).items():
            labels = [one.passed for one in programs]
            yield Scored(arm, labels, [None if isnan(value) else value for value in found])


def rows_of(name: str, scored: Sequence[Sequence[Scored]], seed: int) -> Iterator[Row]:
    """Each arm over all problems; after them, by how much ours are better than `BASELINE`.

    Intervals are of problems drawn anew, the same ones for both sides of a difference, which are
    compared by the programs that both have scores of.
    """
    by_arm: dict[str, list[Scored]] = {}
    for problem in scored:
        for one in problem:
            by_arm.setdefault(one.arm, []).append(one)
    arms = {arm: [one.problem() for one in ones] for arm, ones in by_arm.items()}
    measured = {arm: measure(name, problems, seed) for arm, problems in arms.items()}
    counts = {arm: sum(len(one.labels) for one in problems) for arm, problems in arms.items()}
    for arm, found in measured.items():
        metrics = {key: metric(value, percentiles(drawn)) for key, (value, drawn) in found.items()}
        if "kendall_example" in MEASURED[name]:
            metrics |= ranked(arms[arm])
        yield Row(arm, name, counts[arm], metrics)
    for arm, found in measured.items():
        if arm != BASELINE and not arm.startswith(PUBLISHED):
            baseline = measured[BASELINE]
            if not all(one.is_whole for one in by_arm[arm]):
                pairs = zip(by_arm[BASELINE], by_arm[arm], strict=True)
                baseline = measure(name, [one.problem(other) for one, other in pairs], seed)
            yield Row(f"{arm} - {BASELINE}", name, counts[arm], differences(found, baseline))


def ranked(problems: Sequence[ScoredProblem]) -> dict[str, Metric]:
    """In how many problems an arm tells any two programs apart, of those that some pass and some
    fail: in the others it has no coefficient, and the example level leaves them out."""
    mixed = [one for one in problems if len(set(one.labels)) > 1]
    return {"problems_ranked": rate(len(set(one.scores)) > 1 for one in mixed)} if mixed else {}


Measured = Mapping[str, tuple[float, np.ndarray]]  # by correlation, and of problems drawn anew


def measure(name: str, problems: Sequence[ScoredProblem], seed: int) -> Measured:
    """Without those correlations that scores have none of, being all the same."""
    found: dict[str, tuple[float, np.ndarray]] = {}
    for key in MEASURED[name]:
        statistic = CORRELATIONS[key](problems)
        value = statistic(np.arange(len(problems)))
        if not isnan(value):
            found[key] = value, bootstrap(statistic, len(problems), seed)
    return found


def differences(first: Measured, second: Measured) -> dict[str, Metric]:
    return {
        key: metric(value - second[key][0], percentiles(drawn - second[key][1]))
        for key, (value, drawn) in first.items()
        if key in second
    }
