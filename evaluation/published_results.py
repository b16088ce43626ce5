"""What arms wrote for the tasks of a benchmark with published files, and the rows made of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from evaluation.intervals import bootstrap_mean
from evaluation.results import Metric, Row, metric, rate, rate_difference

ALL = "all"
TOKENS = "tokens"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One arm at one task: what it wrote, what of that is the answer, and how it was judged.

    `prompt` is the way in which it was asked. A score that is true or false is one of a rate.
    """

    engine: str
    prompt: str
    task_id: str
    part: str
    completion: str
    answer: str
    truth: str
    tokens: int
    scores: Mapping[str, bool | float]
    note: str = ""


def rows_of(attempts: Sequence[Attempt], seed: int) -> Iterator[Row]:
    """For all tasks and for each part: every arm, then the differences between two.

    Differences are of the first engine to each other one that was asked in the same way, and of
    each way to ask to the one before it, by the same engine.
    """
    parts = list(dict.fromkeys(attempt.part for attempt in attempts))
    for part in [ALL, *parts] if len(parts) > 1 else [ALL]:
        chosen = [one for one in attempts if part in (ALL, one.part)]
        yield from rows_of_part(part, chosen, seed)


def rows_of_part(part: str, attempts: Sequence[Attempt], seed: int) -> Iterator[Row]:
    engines = list(dict.fromkeys(one.engine for one in attempts))
    prompts = list(dict.fromkeys(one.prompt for one in attempts))

    def name(engine: str, prompt: str) -> str:
        return engine if len(prompts) == 1 else f"{engine}, {prompt}"

    arms = {
        (engine, prompt): [one for one in attempts if (one.engine, one.prompt) == (engine, prompt)]
        for engine in engines
        for prompt in prompts
    }
    for arm, made in arms.items():
        yield Row(name(*arm), part, len(made), metrics_of(made, seed))
    pairs = [((engines[0], prompt), (other, prompt)) for other in engines[1:] for prompt in prompts]
    for before, after in pairwise(prompts):
        pairs += [((engine, after), (engine, before)) for engine in engines]
    for first, second in pairs:
        differences = differences_of(arms[first], arms[second], seed)
        yield Row(f"{name(*first)} - {name(*second)}", part, len(arms[first]), differences)


def metrics_of(attempts: Sequence[Attempt], seed: int) -> dict[str, Metric]:
    """Rates with Wilson's intervals, means with those of a bootstrap."""
    found: dict[str, Metric] = {}
    for name, values in columns_of(attempts).items():
        is_rate = isinstance(values[0], bool)
        found[name] = rate(map(bool, values)) if is_rate else mean(values, seed)
    return found


def differences_of(
    first: Sequence[Attempt], second: Sequence[Attempt], seed: int
) -> dict[str, Metric]:
    """The first arm's metrics less the second's, over the same tasks in the same order."""
    assert [one.task_id for one in first] == [one.task_id for one in second]
    found: dict[str, Metric] = {}
    others = columns_of(second)
    for name, values in columns_of(first).items():
        if isinstance(values[0], bool):
            found[name] = rate_difference([*map(bool, values)], [*map(bool, others[name])])
        else:
            pairs = zip(values, others[name], strict=True)
            found[name] = mean([one - other for one, other in pairs], seed)
    return found


def columns_of(attempts: Sequence[Attempt]) -> dict[str, list[bool | float]]:
    """Each score of all attempts by its name, and how many tokens they took."""
    names = attempts[0].scores
    columns = {name: [attempt.scores[name] for attempt in attempts] for name in names}
    return columns | {TOKENS: [float(attempt.tokens) for attempt in attempts]}


def mean(values: Sequence[float], seed: int) -> Metric:
    return metric(sum(values) / len(values), bootstrap_mean(values, seed))
