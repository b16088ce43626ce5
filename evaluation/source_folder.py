"""A repository's sources in a folder of their own, for analysers that read files.

Nothing in it is ever run; whoever makes the folder takes it away again.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from models.errors import InputError


def write_sources(files: Mapping[str, str], folder: Path) -> None:
    """Write sources by their relative paths. Raises `InputError` for one that leads elsewhere."""
    for path, text in files.items():
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts:
            raise InputError(f"{path} leads out of its repository; take it out of the archive")
        target = folder / parts
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


@contextmanager
def changed_for_now(file: Path, text: str) -> Iterator[None]:
    """The file with another text, and as it was afterwards."""
    whole = file.read_bytes()
    file.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        file.write_bytes(whole)
