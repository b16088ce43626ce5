"""The files of a repository that are indexed."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from retrieval.grammars import GRAMMARS
from retrieval.workspace_files import Stamp

LARGEST_FILE = 1 << 20  # bytes; more is data, or generated
LONGEST_LINES = 300  # bytes on average; more is no text that a person wrote
# Folders of what others wrote. Hidden ones are none of the repository's code either.
FOREIGN_FOLDERS = frozenset({"node_modules", "site-packages", "__pycache__", "bower_components"})
ENVIRONMENT = "pyvenv.cfg"  # in the folder of a virtual environment
UNSETTLED = -1  # the time of a file whose time proves nothing
LATEST = 2**63  # nanoseconds


@dataclass(frozen=True, slots=True)
class SourceFile:
    """`path` is relative to the repository, with slashes."""

    path: str
    stamp: Stamp


class FileRules(Protocol):
    """Which files and folders are read."""

    def allows(self, path: Path) -> bool:
        """Whether that one is."""
        ...


def source_files(root: Path, rules: FileRules) -> Iterator[SourceFile]:
    """Every file below `root` in a language that is read and that the rules allow; links are not
    followed."""
    for place, folders, names in os.walk(root):
        folder = Path(place)
        folders[:] = sorted(name for name in folders if is_entered(folder, name, rules))
        for name in sorted(names):
            file = folder / name
            if file.suffix not in GRAMMARS or not is_text(name):
                continue
            if (stamp := stamp_of(file)) is not None and rules.allows(file):
                yield SourceFile(file.relative_to(root).as_posix(), stamp)


def is_entered(above: Path, name: str, rules: FileRules) -> bool:
    if name.startswith(".") or name in FOREIGN_FOLDERS or not is_text(name):
        return False
    folder = above / name
    is_environment = os.path.lexists(folder / ENVIRONMENT)  # never raises
    return not folder.is_symlink() and not is_environment and rules.allows(folder)


def is_text(name: str) -> bool:
    """Whether the name of a file is text, which it need not be."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def stamp_of(file: Path) -> Stamp | None:
    """None for what is no ordinary file, or too large."""
    try:
        status = file.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_FILE:
        return None
    is_kept = abs(status.st_mtime_ns) < LATEST  # what a database holds
    return Stamp(status.st_size, status.st_mtime_ns if is_kept else UNSETTLED)


def read_source(root: Path, path: str) -> bytes | None:
    """The text of an ordinary file below `root`; no link on the way to it is followed, whatever
    has become of it since it was listed. None where there is none, or too much of it."""
    *folders, name = path.split("/")
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for part in folders:
                inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                os.close(folder)
                folder = inner
            found = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        finally:
            os.close(folder)
        with open(found, "rb") as file:
            is_ordinary = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            text = file.read(LARGEST_FILE + 1) if is_ordinary else b""
    except OSError:
        return None
    return text if is_ordinary and len(text) <= LARGEST_FILE else None


def is_written(text: bytes) -> bool:
    """Whether a person may have written it line by line."""
    return len(text) <= LONGEST_LINES * (len(text.splitlines()) + 1)
