"""A repository's sources in a folder of their own, for analysers that read files.

Nothing in it is ever run; whoever makes the folder takes it away again.
"""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from models.errors import InputError

NO_FILE = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG)


def write_sources(files: Mapping[str, str], folder: Path) -> None:
    """Write sources by their relative paths. Raises `InputError` for one that leads elsewhere, or
    that no file can have, as a path in an archive may."""
    for path, text in files.items():
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts:
            raise InputError(f"{path} leads out of its repository; take it out of the archive")
        target = folder / parts
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        except OSError as error:
            if error.errno not in NO_FILE:
                raise
            raise InputError(
                f"{path} cannot be a file ({error.strerror}); take it out of the archive"
            ) from None


@contextmanager
def changed_for_now(file: Path, text: str) -> Iterator[None]:
    """The file with another text, and as it was afterwards."""
    whole = file.read_bytes()
    file.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        file.write_bytes(whole)
