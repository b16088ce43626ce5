"""Files of benchmarks as they were published: lines of JSON, often compressed, and tables."""

import csv
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models.errors import InputError

Record = Mapping[str, Any]


def lines_of(file: Path) -> list[str]:
    """The lines of a UTF-8 file that hold anything, decompressed where its name ends in `.gz`."""
    raw = file.read_bytes()
    text = (gzip.decompress(raw) if file.suffix == ".gz" else raw).decode("utf-8")
    return [line for line in text.split("\n") if line.strip()]


@contextmanager
def damage_told(file: Path) -> Iterator[None]:
    """Whatever shows inside that a file cannot be read, as an `InputError` that says so."""
    try:
        yield
    except (OSError, EOFError, zlib.error, ValueError, RecursionError, csv.Error) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{file} cannot be read ({reason}); fetch it again") from None


def records_of(file: Path, columns: Sequence[str] = ()) -> Iterator[Record]:
    """The objects of a file of JSON lines, or the rows of a table in Parquet or CSV.

    Of a table in Parquet only those of the `columns` that it has are read, since others may be
    large. Raises `ValueError` where a line holds no object, `InputError` where a package is
    missing.
    """
    if file.suffix == ".parquet":
        yield from parquet_rows(file, columns)
    elif file.suffix == ".csv":
        with file.open(encoding="utf-8", newline="") as table:
            yield from csv.DictReader(table)
    else:
        for line in lines_of(file):
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError("a line holds no object of JSON")
            yield record


def parquet_rows(file: Path, columns: Sequence[str]) -> Iterator[Record]:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise InputError(
            f"{file} needs the package pyarrow; run: pip install 'pirouette-lsp[evaluation]'"
        ) from None
    try:
        table = ParquetFile(file)
        wanted = [name for name in table.schema_arrow.names if name in columns]
        for batch in table.iter_batches(batch_size=64, columns=wanted):
            yield from batch.to_pylist()
    except ArrowException as error:
        raise ValueError(str(error)) from None


def text_in(record: Record, name: str) -> str:
    """A text that a record must have. Raises `ValueError`."""
    value = record.get(name)
    if not isinstance(value, str):
        raise ValueError(f"a task has no text '{name}'")
    value.encode()  # JSON can spell what is no text
    return value


def number_in(record: Record, name: str) -> int:
    """A whole number that a record must have; a table in CSV spells it out."""
    value = record.get(name)
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"a task has no number '{name}'")
    return value


def object_in(record: Record, name: str) -> Record:
    """An object that a record must have."""
    value = record.get(name)
    if not isinstance(value, dict):
        raise ValueError(f"a task has no object '{name}'")
    return value


def files_at(data: Path, patterns: Sequence[str], what: str) -> list[Path]:
    """The file itself, or those in a folder that fit one of the patterns, in order.

    Raises `InputError` where there are none; `what` says what is looked for.
    """
    if data.is_file():
        return [data]
    found = [file for pattern in patterns for file in sorted(data.glob(pattern)) if file.is_file()]
    if not found:
        raise InputError(
            f"there is no {what} data at {data}; name the file, or the folder of "
            f"{' or '.join(patterns)}"
        )
    return list(dict.fromkeys(found))
