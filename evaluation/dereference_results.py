"""What the dereference benchmark has found: one record for each arm and place, and rows of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np

from evaluation.dereferences import Dereference
from evaluation.intervals import bootstrap_mean
from evaluation.metrics.identifiers import (
    identifier_sequence_match,
    next_identifier_match,
    prefix_match,
)
from evaluation.new_faults import NewFaults
from evaluation.results import Metric, Row, metric, rate, rate_difference


@dataclass(frozen=True, slots=True)
class Completed:
    """What one arm wrote at one place; times in milliseconds.

    `ms` is from the request to the answer, `writing_ms` the part of it after the prompt was read.
    `masked_truth` is whether the true identifier was kept out, None where nothing was. What it
    wrote besides, if it may try more than once, is in `others`.
    """

    arm: str
    text: str
    stop: str
    ms: float
    writing_ms: float
    generated: int
    passes: int
    masked_truth: bool | None
    others: Sequence[str] = ()

    @property
    def texts(self) -> list[str]:
        return [self.text, *self.others]


@dataclass(frozen=True, slots=True)
class Judged:
    """What an arm wrote at a place, the tokens of the true identifier, and the faults of each text.

    Of several texts the best counts, for each metric by itself: score@k.
    """

    place: Dereference
    subwords: int
    completed: Completed
    faults: Sequence[NewFaults]

    @property
    def next_identifier(self) -> bool:
        texts = self.completed.texts
        return any(next_identifier_match(text, self.place.truth) for text in texts)

    @property
    def line(self) -> str:
        """The rest of the cursor's line, as it was."""
        return self.place.truth.partition("\n")[0]

    @property
    def identifiers(self) -> float:
        return self.best(identifier_sequence_match, self.line)

    @property
    def prefix(self) -> float:
        return self.best(prefix_match, self.line)

    @property
    def method_identifiers(self) -> float:
        return self.best(identifier_sequence_match, self.place.truth)

    @property
    def method_prefix(self) -> float:
        return self.best(prefix_match, self.place.truth)

    @property
    def has_new_errors(self) -> bool:
        return all(faults.names > 0 for faults in self.faults)

    @property
    def breaks(self) -> bool:
        return all(faults.syntax for faults in self.faults)

    def best(self, match: Callable[[str, str], float], truth: str) -> float:
        return max(match(text, truth) for text in self.completed.texts)


def rows_of(judged: Sequence[Judged], seed: int) -> Iterable[Row]:
    """Each arm over all places and over each slice of them.

    After them, what each arm has more than the first one, place by place.
    """
    slices: dict[str, Callable[[Judged], bool]] = {
        "all": lambda _: True,
        "one-subword": lambda one: one.subwords == 1,
        "several-subwords": lambda one: one.subwords > 1,
        "read": lambda one: not one.place.stored,
        "stored": lambda one: one.place.stored,
    }
    for kind in sorted({one.place.receiver for one in judged}):
        slices[f"on-{kind}"] = lambda one, kind=kind: one.place.receiver == kind  # type: ignore[misc]
    arms = list(dict.fromkeys(one.completed.arm for one in judged))
    for name, belongs in slices.items():
        chosen = {
            arm: [one for one in judged if one.completed.arm == arm and belongs(one)]
            for arm in arms
        }
        first = chosen[arms[0]]
        if not first:
            continue
        for arm, ones in chosen.items():
            yield Row(arm, name, len(ones), metrics_of(ones, seed))
        for arm, ones in list(chosen.items())[1:]:
            differences = differences_of(ones, first, seed)
            yield Row(f"{arm} - {arms[0]}", name, len(ones), differences)


def metrics_of(judged: Sequence[Judged], seed: int) -> dict[str, Metric]:
    """Rates from 0 to 1, times in milliseconds; `tokens` and `passes` are means of a request.

    `ism` and `pm` are of the rest of the cursor's line, since a suggestion after a dot is mostly
    that; `method_ism` and `method_pm`, as in the source, of all that was held out.
    """
    completed = [one.completed for one in judged]
    times = [one.ms for one in completed]
    masked = [one.masked_truth for one in completed if one.masked_truth is not None]
    return {
        "nim": rate(one.next_identifier for one in judged),
        "ism": averaged([one.identifiers for one in judged], seed),
        "pm": averaged([one.prefix for one in judged], seed),
        "method_ism": averaged([one.method_identifiers for one in judged], seed),
        "method_pm": averaged([one.method_prefix for one in judged], seed),
        "new_errors": rate(one.has_new_errors for one in judged),
        "syntax_errors": rate(one.breaks for one in judged),
        **({"false_mask": rate(masked)} if masked else {}),
        "p50_ms": Metric(float(np.quantile(times, 0.5))),
        "p95_ms": Metric(float(np.quantile(times, 0.95))),
        "writing_p50_ms": Metric(float(np.quantile([one.writing_ms for one in completed], 0.5))),
        "tokens": Metric(mean(one.generated for one in completed)),
        "passes": Metric(mean(one.passes for one in completed)),
    }


def differences_of(
    judged: Sequence[Judged], first: Sequence[Judged], seed: int
) -> dict[str, Metric]:
    """What an arm has more than the first one, at the same places in order; times as means."""

    def rates(of: Callable[[Judged], bool]) -> Metric:
        return rate_difference([of(one) for one in judged], [of(one) for one in first])

    def means(of: Callable[[Judged], float]) -> Metric:
        return averaged([of(a) - of(b) for a, b in zip(judged, first, strict=True)], seed)

    return {
        "nim": rates(lambda one: one.next_identifier),
        "ism": means(lambda one: one.identifiers),
        "pm": means(lambda one: one.prefix),
        "method_ism": means(lambda one: one.method_identifiers),
        "method_pm": means(lambda one: one.method_prefix),
        "new_errors": rates(lambda one: one.has_new_errors),
        "syntax_errors": rates(lambda one: one.breaks),
        "mean_ms": means(lambda one: one.completed.ms),
        "mean_writing_ms": means(lambda one: one.completed.writing_ms),
        "tokens": means(lambda one: one.completed.generated),
        "passes": means(lambda one: one.completed.passes),
    }


def averaged(values: Sequence[float], seed: int) -> Metric:
    return metric(mean(values), bootstrap_mean(values, seed))
