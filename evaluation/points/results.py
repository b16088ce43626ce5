"""What an evaluation has found: one record for each arm and place, judged, and rows of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np

from evaluation.intervals import bootstrap_mean
from evaluation.metrics.identifiers import (
    identifier_sequence_match,
    identifiers,
    next_identifier_match,
    prefix_match,
)
from evaluation.metrics.keystrokes import characters_saved
from evaluation.metrics.lines import line_similarity
from evaluation.points.kinds import PointKind
from evaluation.points.sampling import HeldOut
from evaluation.results import Metric, Row, metric, rate, rate_difference

Score = Callable[[str, str], float]  # of a completion and the truth


@dataclass(frozen=True, slots=True)
class Completed:
    """What one arm wrote at one place, the likeliest text first; milliseconds until then.

    `confidence` is that of the first text. Of the prompt's tokens so many stood where they stood
    (`reused`), were `moved`, or `encoded`. `taken_back` are names that do not exist, `cut` lines
    that would have broken the file.
    """

    arm: str
    texts: Sequence[str]
    confidence: float
    ms: float
    prompt: int
    reused: int
    moved: int
    encoded: int
    generated: int
    passes: int
    taken_back: int
    cut: int


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether the file with a text in it parses, and has no name that is not there; None where the
    true file does not parse, or where nobody checks names."""

    parses: bool | None
    type_checks: bool | None


@dataclass(frozen=True, slots=True)
class Judged:
    """What an arm wrote at a place, and what is thought of its first text.

    What follows the hidden line is not judged: a place that hides one line is judged by one line.
    `codebertscore` and `judge` are None where nobody has scored.
    """

    place: HeldOut
    completed: Completed
    checked: Checked
    codebertscore: float | None = None
    judge: float | None = None

    @property
    def texts(self) -> list[str]:
        """Each text as far as it is compared with the truth."""
        if self.place.kind is PointKind.BLOCK:
            return [text.rstrip() for text in self.completed.texts]
        return [text.partition("\n")[0].rstrip() for text in self.completed.texts]

    @property
    def text(self) -> str:
        return self.texts[0]

    @property
    def exact(self) -> bool:
        return self.text == self.place.truth

    @property
    def similarity(self) -> float:
        return line_similarity(self.text, self.place.truth)


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of each place, or None where it has none; whether it is one of yes and no."""

    of: Callable[[Judged], float | None]
    is_rate: bool = False


def first(score: Score) -> Callable[[Judged], float | None]:
    """A score of the first text."""
    return lambda one: score(one.text, one.place.truth)


def best(score: Score) -> Callable[[Judged], float | None]:
    """The best that one of several texts reaches: score@k."""
    return lambda one: max(score(text, one.place.truth) for text in one.texts)


def naming(measure: Callable[[Judged], float | None]) -> Callable[[Judged], float | None]:
    """Only where the truth has an identifier."""
    return lambda one: measure(one) if identifiers(one.place.truth) else None


def same(text: str, truth: str) -> bool:
    return text == truth


MEASURES: Mapping[str, Measure] = {
    "exact_match": Measure(lambda one: one.exact, is_rate=True),
    "edit_similarity": Measure(lambda one: one.similarity),
    "nim": Measure(naming(first(next_identifier_match)), is_rate=True),
    "ism": Measure(naming(first(identifier_sequence_match))),
    "pm": Measure(first(prefix_match)),
    "parses": Measure(lambda one: one.checked.parses, is_rate=True),
    "type_checks": Measure(lambda one: one.checked.type_checks, is_rate=True),
    "codebertscore": Measure(lambda one: one.codebertscore),
    "judge": Measure(lambda one: one.judge),
    "characters_saved": Measure(first(characters_saved)),
    "shown": Measure(lambda one: bool(one.completed.texts[0]), is_rate=True),
}
OF_SEVERAL: Mapping[str, Measure] = {
    "exact_match_at_k": Measure(best(same), is_rate=True),
    "nim_at_k": Measure(naming(best(next_identifier_match)), is_rate=True),
    "ism_at_k": Measure(naming(best(identifier_sequence_match))),
    "pm_at_k": Measure(best(prefix_match)),
}
COUNTS: Mapping[str, Callable[[Completed], float]] = {
    "tokens_encoded": lambda one: one.encoded,
    "tokens_generated": lambda one: one.generated,
    "passes": lambda one: one.passes,
    "names_taken_back": lambda one: one.taken_back,
}
Slices = Mapping[str, Callable[[HeldOut], bool]]


def rows_of(judged: Sequence[Judged], seed: int, most: int) -> Iterable[Row]:
    """Each arm over all places and over each slice of them, where up to `most` texts were asked
    for; after them, what each arm has more than the first one, place by place."""
    measures = {**MEASURES, **(OF_SEVERAL if most > 1 else {})}
    arms = list(dict.fromkeys(one.completed.arm for one in judged))
    for name, belongs in slices_of(judged).items():
        chosen = {
            arm: [one for one in judged if one.completed.arm == arm and belongs(one.place)]
            for arm in arms
        }
        for arm, ones in chosen.items():
            yield Row(arm, name, len(ones), metrics_of(ones, measures, seed))
        for arm, ones in list(chosen.items())[1:]:
            differences = differences_of(ones, chosen[arms[0]], measures, seed)
            yield Row(f"{arm} - {arms[0]}", name, len(ones), differences)


def slices_of(judged: Sequence[Judged]) -> Slices:
    """All places, and those of each kind that there is."""
    there = {one.place.kind for one in judged}
    slices: dict[str, Callable[[HeldOut], bool]] = {"all": lambda _: True}
    for kind in PointKind:
        if kind in there:
            slices[kind] = lambda place, kind=kind: place.kind is kind  # type: ignore[misc]
    return slices


def metrics_of(
    judged: Sequence[Judged], measures: Mapping[str, Measure], seed: int
) -> dict[str, Metric]:
    """Rates and scores from 0 to 1, the judge's from 0 to 4, times in milliseconds; tokens and
    passes are means of a place."""
    times = [one.ms for one in (each.completed for each in judged)]
    found: dict[str, Metric] = {}
    for name, measure in measures.items():
        values = [value for one in judged if (value := measure.of(one)) is not None]
        if values:
            found[name] = rate(map(bool, values)) if measure.is_rate else averaged(values, seed)
    return {
        **found,
        "p50_ms": Metric(float(np.quantile(times, 0.5))),
        "p95_ms": Metric(float(np.quantile(times, 0.95))),
        **{name: Metric(mean(of(one.completed) for one in judged)) for name, of in COUNTS.items()},
    }


def differences_of(
    judged: Sequence[Judged], others: Sequence[Judged], measures: Mapping[str, Measure], seed: int
) -> dict[str, Metric]:
    """What `judged` have more than `others`, at the same places in order; times as means."""
    pairs = list(zip(judged, others, strict=True))
    found: dict[str, Metric] = {}
    for name, measure in measures.items():
        both = [
            (a, b)
            for one, other in pairs
            if (a := measure.of(one)) is not None and (b := measure.of(other)) is not None
        ]
        if not both:
            continue
        if measure.is_rate:
            found[name] = rate_difference([bool(a) for a, _ in both], [bool(b) for _, b in both])
        else:
            found[name] = averaged([a - b for a, b in both], seed)
    found["mean_ms"] = averaged([a.completed.ms - b.completed.ms for a, b in pairs], seed)
    for name, of in COUNTS.items():
        found[name] = averaged([of(a.completed) - of(b.completed) for a, b in pairs], seed)
    return found


def averaged(values: Sequence[float], seed: int) -> Metric:
    return metric(mean(values), bootstrap_mean(values, seed))
