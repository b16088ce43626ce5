"""What the latency benchmark has timed: one record for each arm and step, and the rows of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, median

import numpy as np

from evaluation.agreement import Agreement
from evaluation.engine_speed import EngineSpeed
from evaluation.intervals import bootstrap_mean
from evaluation.results import Metric, Row, metric, rate

PIROUETTE = "pirouette"
COMPARED = (
    *("p50_ms", "p95_ms", "p50_ms_without_debounce", "p95_ms_without_debounce", "p50_line_ms"),
    *("first_token_ms", "first_line_ms", "tokens_encoded"),
)


@dataclass(frozen=True, slots=True)
class Timed:
    """One suggestion that was waited for; times in milliseconds.

    `ms` is from the keystroke to the answer, with what is left of the debounce when the engine has
    nothing more to do in it, which is `debounce`. `first_token`, `first_line` and
    `total` count from the start of the engine's work, by its own clock; `writing` is the part of
    it after the prompt was read. `context` and `cache` are stages of Pirouette alone. `reused`
    means that an earlier suggestion still held and no model was asked.
    """

    arm: str
    step: int
    kind: str
    ms: float
    debounce: float
    first_token: float
    first_line: float
    total: float
    writing: float
    prompt: int
    encoded: int
    generated: int
    text: str
    passes: int | None = None
    context: float | None = None
    cache: float | None = None
    reused: bool = False

    @property
    def without_debounce(self) -> float:
        return self.ms - self.debounce

    @property
    def line(self) -> float:
        """From the keystroke until the first line was written; the peer writes no more."""
        return self.ms - (self.total - self.first_line)

    @property
    def overhead(self) -> float:
        """What the client waited beyond the debounce and the engine's own total.

        Messages, and the end of work that was called off by the keystroke.
        """
        return self.ms - self.debounce - self.total


def rows_of(timed: Sequence[Timed]) -> Iterable[Row]:
    """Each arm over all steps, each kind of step, and the steps at which Pirouette asked its model.

    After them, by how many times the others took longer, and read more, on the same steps.
    """
    computed = {one.step for one in timed if one.arm == PIROUETTE and not one.reused}
    slices: dict[str, Callable[[Timed], bool]] = {
        "all": lambda _: True,
        "computed": lambda one: one.step in computed,
    }
    for kind in dict.fromkeys(one.kind for one in timed):
        slices[kind] = lambda one, kind=kind: one.kind == kind  # type: ignore[misc]
    arms = sorted(dict.fromkeys(one.arm for one in timed), key=lambda arm: arm != PIROUETTE)
    for name, belongs in slices.items():
        rows: list[Row] = []
        for arm in arms:
            if chosen := [one for one in timed if one.arm == arm and belongs(one)]:
                rows.append(Row(arm, name, len(chosen), metrics_of(chosen)))
        yield from rows
        for other in rows[1:]:
            yield Row(f"{other.arm} / {PIROUETTE}", name, other.n, ratios(other, rows[0]))


def metrics_of(timed: Sequence[Timed]) -> dict[str, Metric]:
    """Percentiles of what was waited, medians of the stages, means of the counts."""

    def middle(values: Iterable[float]) -> Metric:
        return Metric(median(values))

    waited, bare = [one.ms for one in timed], [one.without_debounce for one in timed]
    contexts = [one.context for one in timed if one.context is not None]
    caches = [one.cache for one in timed if one.cache is not None]
    written = [one for one in timed if one.generated and one.writing > 0]
    counted = [(one.generated, one.passes) for one in timed if one.passes]
    return {
        "p50_ms": middle(waited),
        "p95_ms": Metric(percentile(waited, 95)),
        "p50_ms_without_debounce": middle(bare),
        "p95_ms_without_debounce": Metric(percentile(bare, 95)),
        "p50_line_ms": middle(one.line for one in timed),
        "debounce_ms": middle(one.debounce for one in timed),
        **({"context_ms": middle(contexts)} if contexts else {}),
        **({"cache_ms": middle(caches)} if caches else {}),
        "first_token_ms": middle(one.first_token for one in timed),
        "first_line_ms": middle(one.first_line for one in timed),
        "total_ms": middle(one.total for one in timed),
        "overhead_ms": middle(one.overhead for one in timed),
        "tokens_encoded": Metric(mean(one.encoded for one in timed)),
        "tokens_generated": Metric(mean(one.generated for one in timed)),
        **({"tokens_per_s": Metric(tokens_per_second(written))} if written else {}),
        **({"tokens_per_call": Metric(tokens_per_call(counted))} if counted else {}),
        "suggested": rate(one.text != "" for one in timed),
        "reused": rate(one.reused for one in timed),
    }


def percentile(values: Sequence[float], share: float) -> float:
    return float(np.percentile(values, share))


def tokens_per_second(timed: Sequence[Timed]) -> float:
    """Tokens over the time after their prompts were read; the first is there when that begins."""
    return 1e3 * sum(one.generated for one in timed) / sum(one.writing for one in timed)


def tokens_per_call(counted: Sequence[tuple[int, int]]) -> float:
    """Tokens that a pass of the model gave, from `(generated, passes)` of each suggestion.

    The prompt's own pass gives the first token and is not counted.
    """
    return sum(generated - 1 for generated, _ in counted) / sum(passes for _, passes in counted)


def ratios(slower: Row, faster: Row) -> dict[str, Metric]:
    """By how many times the first row's figures are larger, where the second's are not nothing."""
    return {
        name: Metric(slower.metrics[name].value / faster.metrics[name].value)
        for name in COMPARED
        if faster.metrics[name].value > 0
    }


def engine_row(arm: str, reached: Sequence[EngineSpeed]) -> Row:
    """The medians of an engine's rounds."""
    return Row(
        arm,
        "engine",
        len(reached),
        {
            "prefill_tokens_per_s": Metric(median(one.prefill_tokens_per_s for one in reached)),
            "step_ms": Metric(median(one.step_ms for one in reached)),
        },
    )


def agreement_row(found: Sequence[Agreement], seed: int) -> Row:
    kls = [one.kl for one in found]
    return Row(
        PIROUETTE,
        "float32",
        len(found),
        {
            "first_line_agreement": rate(one.same_line for one in found),
            "kl": metric(mean(kls), bootstrap_mean(kls, seed)),
        },
    )
