"""The one form in which every benchmark reports, for programs (JSON) and for people (a table).

It knows names, numbers and where they came from; it must not know how any of them was measured.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from rich.table import Table
from rich.text import Text

from evaluation.intervals import Interval, paired_rate_difference, wilson
from models.errors import InputError


@dataclass(frozen=True, slots=True)
class Metric:
    """A measured value and the ends of its 95 % confidence interval.

    Rates lie between 0 and 1, times are in milliseconds. `low` and `high` are None where no
    interval is claimed, as for a count.
    """

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """What one arm reached on one slice of `n` tasks."""

    arm: str
    slice: str
    n: int
    metrics: Mapping[str, Metric]


@dataclass(frozen=True, slots=True)
class BenchResult:
    """One run of one benchmark, with what is needed to make it again."""

    bench: str
    commit: str
    machine: str
    command: str
    seed: int
    rows: tuple[Row, ...]


def metric(value: float, interval: Interval) -> Metric:
    return Metric(value, interval.low, interval.high)


def rate(outcomes: Iterable[bool]) -> Metric:
    """The share of true outcomes with its Wilson interval; there must be at least one."""
    known = list(outcomes)
    assert known, "a rate of nothing is no rate"
    return metric(sum(known) / len(known), wilson(sum(known), len(known)))


def rate_difference(first: Sequence[bool], second: Sequence[bool]) -> Metric:
    """By how much `first` has more true outcomes than `second`, on the same tasks in order."""
    difference = (sum(first) - sum(second)) / len(first)
    return metric(difference, paired_rate_difference(first, second))


def to_json(result: BenchResult) -> dict[str, Any]:
    """The result as `json.dumps` takes it."""
    return {
        "bench": result.bench,
        "commit": result.commit,
        "machine": result.machine,
        "command": result.command,
        "seed": result.seed,
        "rows": [
            {
                "arm": row.arm,
                "slice": row.slice,
                "n": row.n,
                "metrics": {
                    name: {"value": found.value, "low": found.low, "high": found.high}
                    for name, found in row.metrics.items()
                },
            }
            for row in result.rows
        ],
    }


def render_table(result: BenchResult) -> Table:
    """A table for the terminal: one line a row, intervals in brackets."""
    names = list(dict.fromkeys(name for row in result.rows for name in row.metrics))
    # Text keeps rich from reading brackets in arms or commands as its own markup.
    table = Table(title=Text(result.bench), caption=Text(provenance_line(result)))
    for heading in ("arm", "slice"):
        table.add_column(heading)
    for heading in ("n", *names):
        table.add_column(heading, justify="right")
    for row in result.rows:
        cells = [shown(row.metrics[name]) if name in row.metrics else "" for name in names]
        table.add_row(*map(Text, (row.arm, row.slice, str(row.n), *cells)))
    return table


def provenance_line(result: BenchResult) -> str:
    commit, _, changed = result.commit.partition("-")
    short = commit[:12] + (f"-{changed}" if changed else "")
    return f"{result.command}\ncommit {short}, seed {result.seed}, {result.machine}"


def shown(found: Metric) -> str:
    """A value of three decimals, or of one where it is a hundred or more, and its interval."""
    digits = 1 if abs(found.value) >= 100 else 3
    if found.low is None or found.high is None:
        return f"{found.value:.{digits}f}"
    return f"{found.value:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


def require_writable(path: Path) -> None:
    """Raise `InputError` now if `write_json_lines` could not write to `path` later."""
    is_there = os.path.isdir(path.parent)  # noqa: PTH112 - pathlib's may raise
    if not is_there or os.path.isdir(path) or not os.access(path.parent, os.W_OK):  # noqa: PTH112
        raise InputError(
            f"{path} cannot be written; name a file in a folder that exists and can be written to"
        )


def write_json_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line; `path` appears, or is replaced, only once it is whole."""
    with written_aside(path) as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text; `path` appears, or is replaced, only once it is whole."""
    with written_aside(path) as file:
        file.write(text)


@contextmanager
def written_aside(path: Path) -> Iterator[IO[str]]:
    """A file to write that takes the place of `path` at the end, if nothing goes wrong.

    Raises `InputError` where it cannot be written.
    """
    aside = path.with_name(f".{path.name}.partial")
    try:
        with aside.open("w", encoding="utf-8") as file:
            yield file
        aside.replace(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}); name another file"
        ) from None
    finally:
        aside.unlink(missing_ok=True)
