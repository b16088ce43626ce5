"""What a rule of confidence is worth: judged on repositories that it was not fitted on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from completion.confidence import LineFeatures, Rule, Weight
from evaluation.confidence_samples import Sample
from evaluation.intervals import Interval, wilson
from evaluation.logistic import fit
from models.errors import InputError

FEWEST = 20  # suggestions with text
SHARES = tuple(tenth / 10 for tenth in range(1, 11))
BINS = 5  # of equal counts, to compare confidence with what came true
WANTED = 1.5  # times as often accepted as unfiltered suggestions


@dataclass(frozen=True, slots=True)
class Judged:
    """A suggestion with text: how confident one was in it, and whether it was right."""

    repository: str
    confidence: float
    right: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown at a threshold: `n` suggestions, `right` of them, of so many in all."""

    threshold: float
    n: int
    right: int
    of: int

    @property
    def precision(self) -> float:
        return self.right / self.n

    @property
    def share(self) -> float:
        return self.n / self.of

    @property
    def interval(self) -> Interval:
        return wilson(self.right, self.n)


def with_text(samples: Sequence[Sample]) -> dict[str, list[tuple[LineFeatures, bool]]]:
    """Features and outcomes of the suggestions that have text, by repository."""
    found: dict[str, list[tuple[LineFeatures, bool]]] = {}
    for sample in samples:
        if sample.shown and sample.features is not None:
            found.setdefault(sample.repository, []).append((sample.features, sample.right))
    if sum(map(len, found.values())) < FEWEST or len(found) < 2:
        raise InputError(
            f"a rule needs {FEWEST} suggestions of two repositories at least; collect more"
        )
    return found


def fit_rule(samples: Sequence[tuple[LineFeatures, bool]]) -> Rule:
    """The logistic rule of these features and outcomes."""
    columns = [features.columns() for features, _ in samples]
    outcomes = np.array([float(right) for _, right in samples])
    fitted = fit(np.array([list(row.values()) for row in columns]), outcomes)
    numbers = zip(
        columns[0],
        fitted.weights.tolist(),
        fitted.means.tolist(),
        fitted.scales.tolist(),
        strict=True,
    )
    return Rule(fitted.bias, {name: Weight(*rest) for name, *rest in numbers})


def judge_held_out(
    samples: Mapping[str, Sequence[tuple[LineFeatures, bool]]],
) -> list[Judged]:
    """Each suggestion by a rule that was fitted on all repositories but its own."""
    judged: list[Judged] = []
    for name, own in samples.items():
        rule = fit_rule([one for other, ones in samples.items() if other != name for one in ones])
        judged += [Judged(name, rule.probability(features), right) for features, right in own]
    return judged


def curve(judged: Sequence[Judged]) -> list[Shown]:
    """What is shown at each threshold that makes a difference, the highest first."""
    points: list[Shown] = []
    right = 0
    ordered = sorted(judged, key=lambda one: one.confidence, reverse=True)
    for n, one in enumerate(ordered, 1):
        right += one.right
        if n == len(ordered) or ordered[n].confidence < one.confidence:
            points.append(Shown(one.confidence, n, right, len(ordered)))
    return points


def at_share(points: Sequence[Shown], share: float) -> Shown:
    """The first point that shows at least this share of the suggestions."""
    return next(point for point in points if point.share >= share - 1e-9)


def best_threshold(judged: Sequence[Judged]) -> Shown | None:
    """The point that shows most while what it shows is right `WANTED` times as often as all is."""
    points = curve(judged)
    wanted = WANTED * points[-1].precision
    return next((point for point in reversed(points) if point.precision >= wanted), None)


def chosen_elsewhere(judged: Sequence[Judged]) -> Shown | None:
    """What each repository shows at the threshold that is best on the others; None where one has
    no such threshold. `threshold` is the mean of them.
    """
    names = list(dict.fromkeys(one.repository for one in judged))
    thresholds: list[float] = []
    shown: list[Judged] = []
    for name in names:
        best = best_threshold([one for one in judged if one.repository != name])
        if best is None:
            return None
        thresholds.append(best.threshold)
        own = [one for one in judged if one.repository == name]
        shown += [one for one in own if one.confidence >= best.threshold]
    if not shown:
        return None
    right = sum(one.right for one in shown)
    return Shown(float(np.mean(thresholds)), len(shown), right, len(judged))


def calibration(judged: Sequence[Judged]) -> list[tuple[float, Shown]]:
    """Mean confidence and what came true, in bins of about equal counts, the least sure first."""
    ordered = sorted(judged, key=lambda one: one.confidence)
    bins: list[tuple[float, Shown]] = []
    for places in np.array_split(np.arange(len(ordered)), BINS):
        ones = [ordered[place] for place in places]
        right = sum(one.right for one in ones)
        mean = sum(one.confidence for one in ones) / len(ones)
        bins.append((mean, Shown(ones[0].confidence, len(ones), right, len(ordered))))
    return bins


def brier(judged: Sequence[Judged]) -> float:
    """The mean squared error of confidence (Brier 1950); lower is better."""
    return sum((one.confidence - one.right) ** 2 for one in judged) / len(judged)
