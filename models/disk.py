"""A full, small or unwritable disk, told in one line."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import DiskSpaceError

FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn whatever the file system refuses under `folder` into one line that says so."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise DiskSpaceError(
                f"the disk of {folder} is full; free some space or move PIROUETTE_HOME"
            ) from None
        raise DiskSpaceError(
            f"{folder} cannot be written ({error.strerror or error}); set PIROUETTE_HOME elsewhere"
        ) from None


def require_space(folder: Path, needed: int, what: str) -> None:
    """Refuse early what the disk has no room for; `needed` in bytes."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskSpaceError(
            f"{what} needs {needed / 1e9:.1f} GB in {folder}, {free / 1e9:.1f} GB are free; "
            "free some space or move PIROUETTE_HOME"
        )


def system_error(error: BaseException) -> OSError | None:
    """The file system's refusal behind a library's own exception, if there is one.

    Libraries written in Rust tell of it in words only: "No space left on device (os error 28)".
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in FULL:
            return seen
        if told := re.search(r"\(os error (\d+)\)", str(seen)):
            return OSError(int(told[1]), os.strerror(int(told[1])))
        if "No space left on device" in str(seen):
            return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        seen = seen.__cause__ or seen.__context__
    return None
