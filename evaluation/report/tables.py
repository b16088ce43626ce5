"""The tables of an evaluation, as cells of text: the same on a page and in a terminal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from evaluation.pipeline_parts import FULL
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
class Column:
    """A metric, its heading, and how it and a difference of it are written."""

    heading: str
    metric: str
    write: Callable[[Metric], str] = percent
    write_difference: Callable[[Metric], str] = points


QUALITY = (
    Column("exact match", "exact_match"),
    Column("edit similarity", "edit_similarity"),
    Column("next identifier", "nim"),
    Column("identifiers", "ism"),
    Column("tokens", "pm"),
    Column("parses", "parses"),
    Column("names exist", "type_checks"),
    Column("CodeBERTScore", "codebertscore"),
    Column("judge, 0 to 4", "judge", number, signed),
    Column("characters saved", "characters_saved"),
)
OF_SEVERAL = (
    Column("exact match of the best", "exact_match_at_k"),
    Column("next identifier of the best", "nim_at_k"),
    Column("identifiers of the best", "ism_at_k"),
    Column("tokens of the best", "pm_at_k"),
)
COST = (
    Column("ms, median", "p50_ms", number, signed),
    Column("ms, 95 %", "p95_ms", number, signed),
    Column("ms, mean", "mean_ms", number, signed),
    Column("tokens read", "tokens_encoded", number, signed),
    Column("tokens written", "tokens_generated", number, signed),
    Column("passes", "passes", number, signed),
)


def tables_of(result: BenchResult) -> list[Table]:
    """Quality and cost of all arms, what each part contributes, and quality by place."""
    whole = [row for row in result.rows if row.slice == ALL]
    arms = {row.arm: row for row in whole if not is_difference(row)}
    differences = {row.arm.partition(" - ")[0]: row for row in whole if is_difference(row)}
    kinds = {row.slice: row for row in result.rows if row.arm == FULL}
    found = [
        table("Quality", "arm", arms, (*QUALITY, *OF_SEVERAL)),
        table("What changes without a part", "arm", differences, QUALITY, differ=True),
        table("Cost", "arm", arms, COST),
        table("What it costs more", "arm", differences, COST, differ=True),
        table("Quality by place", "place", kinds, QUALITY),
    ]
    return [one for one in found if one.rows]


def is_difference(row: Row) -> bool:
    return " - " in row.arm


def table(
    title: str,
    name: str,
    rows: Mapping[str, Row],
    columns: Sequence[Column],
    *,
    differ: bool = False,
) -> Table:
    """The columns that any of the rows has a value for, after each row's name and its places."""
    known = [
        column for column in columns if any(column.metric in row.metrics for row in rows.values())
    ]

    def cell(row: Row, column: Column) -> str:
        value = row.metrics.get(column.metric)
        if value is None:
            return DASH
        return column.write_difference(value) if differ else column.write(value)

    return Table(
        title,
        [name, "places", *(column.heading for column in known)],
        [
            [label, str(row.n), *(cell(row, column) for column in known)]
            for label, row in rows.items()
        ],
    )
