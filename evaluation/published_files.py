"""Files of benchmarks as they were published: an object of JSON on each line, often compressed."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import InputError


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
    except (OSError, EOFError, zlib.error, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{file} cannot be read ({reason}); fetch it again") from None
