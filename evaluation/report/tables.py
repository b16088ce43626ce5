"""The tables of an evaluation, as cells of text: the same on a page and in a terminal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from evaluation.points.parts import FULL
from evaluation.results import BenchResult, Metric, Row

ALL = "all"
DASH = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Table:
    """Headings, and rows of as many cells; the first column names the rows."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


def percent(found: Metric) -> str:
    """A rate or a score in per cent, with its interval."""
    text = f"{100 * found.value:.1f}"
    if found.low is None or found.high is None:
        return text
    return f"{text} [{100 * found.low:.1f}, {100 * found.high:.1f}]"


def points(found: Metric) -> str:
    """A difference in points of per cent, with its sign and its interval."""
    text = f"{100 * found.value:+.1f}"
    if found.low is None or found.high is None:
        return text
    return f"{text} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"


def number(found: Metric) -> str:
    return f"{found.value:,.0f}" if abs(found.value) >= 10 else f"{found.value:.2f}"


def signed(found: Metric) -> str:
    return f"{found.value:+,.0f}" if abs(found.value) >= 10 else f"{found.value:+.2f}"


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric, its heading, and how it and a difference of it are written."""

    heading: str
    metric: str
    write: Callable[[Metric], str] = percent
    write_difference: Callable[[Metric], str] = points


QUALITY = (
    Measured("exact match", "exact_match"),
    Measured("edit similarity", "edit_similarity"),
    Measured("next identifier", "nim"),
    Measured("identifiers", "ism"),
    Measured("tokens", "pm"),
    Measured("parses", "parses"),
    Measured("names exist", "type_checks"),
    Measured("CodeBERTScore", "codebertscore"),
    Measured("judge, 0 to 4", "judge", number, signed),
    Measured("characters saved", "characters_saved"),
)
OF_SEVERAL = (
    Measured("exact match of the best", "exact_match_at_k"),
    Measured("next identifier of the best", "nim_at_k"),
    Measured("identifiers of the best", "ism_at_k"),
    Measured("tokens of the best", "pm_at_k"),
)
OF_A_PLACE = (QUALITY[0], QUALITY[1], QUALITY[-1])
COST = (
    Measured("ms, median", "p50_ms", number, signed),
    Measured("ms, 95 %", "p95_ms", number, signed),
    Measured("ms, mean", "mean_ms", number, signed),
    Measured("tokens read", "tokens_encoded", number, signed),
    Measured("tokens written", "tokens_generated", number, signed),
    Measured("passes", "passes", number, signed),
)


def tables_of(result: BenchResult) -> list[Table]:
    """Quality and cost of all arms, what each part contributes, and quality by place."""
    whole = [row for row in result.rows if row.slice == ALL]
    arms = {row.arm: row for row in whole if not is_difference(row)}
    differences = {row.arm.partition(" - ")[0]: row for row in whole if is_difference(row)}
    kinds = {row.slice: row for row in result.rows if row.arm == FULL}
    found = [
        by_measure("Quality", arms, (*QUALITY, *OF_SEVERAL), value_cell),
        by_measure("What changes without a part", differences, QUALITY, difference_cell),
        by_measure("Cost", arms, COST, value_cell),
        by_measure("What it costs more", differences, COST, difference_cell),
        by_place("Quality by place", kinds),
    ]
    return [one for one in found if len(one.headings) > 1]


def is_difference(row: Row) -> bool:
    return " - " in row.arm


def value_cell(measure: Measured, found: Metric) -> str:
    return measure.write(found)


def difference_cell(measure: Measured, found: Metric) -> str:
    return measure.write_difference(found)


def by_measure(
    title: str,
    rows: Mapping[str, Row],
    measures: Sequence[Measured],
    write: Callable[[Measured, Metric], str],
) -> Table:
    """A column for each arm; a line for each measure that any of them has a value of."""

    def cell(row: Row, measure: Measured) -> str:
        found = row.metrics.get(measure.metric)
        return DASH if found is None else write(measure, found)

    lines = [
        [measure.heading, *(cell(row, measure) for row in rows.values())]
        for measure in measures
        if any(measure.metric in row.metrics for row in rows.values())
    ]
    places = ["places", *(str(row.n) for row in rows.values())]
    return Table(title, ["", *rows], [places, *lines])


def by_place(title: str, rows: Mapping[str, Row]) -> Table:
    """A line for each kind of place."""
    lines = [
        [name, str(row.n), *(one.write(row.metrics[one.metric]) for one in OF_A_PLACE)]
        for name, row in rows.items()
    ]
    return Table(title, ["", "places", *(one.heading for one in OF_A_PLACE)], lines)
