"""The files of a repository that are indexed."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from retrieval.grammars import GRAMMARS
from retrieval.workspace_files import Stamp, WorkspaceFiles

LARGEST_FILE = 1 << 20  # bytes; more is data, or generated
LONGEST_LINES = 300  # bytes on average; more is no text that a person wrote
# Folders of what others wrote. Hidden ones are none of the repository's code either.
FOREIGN_FOLDERS = frozenset({"node_modules", "site-packages", "__pycache__", "bower_components"})
ENVIRONMENT = "pyvenv.cfg"  # in the folder of a virtual environment


@dataclass(frozen=True, slots=True)
class SourceFile:
    """`path` is relative to the repository, with slashes."""

    path: str
    stamp: Stamp


def source_files(root: Path, rules: WorkspaceFiles) -> Iterator[SourceFile]:
    """Every file below `root` in a language that is read and that the rules allow; links are not
    followed."""
    for place, folders, names in os.walk(root):
        folder = Path(place)
        folders[:] = sorted(name for name in folders if is_entered(folder / name, rules))
        for name in sorted(names):
            file = folder / name
            if file.suffix in GRAMMARS and (stamp := stamp_of(file)) and rules.allows(file):
                yield SourceFile(file.relative_to(root).as_posix(), stamp)


def is_entered(folder: Path, rules: WorkspaceFiles) -> bool:
    if folder.name.startswith(".") or folder.name in FOREIGN_FOLDERS or folder.is_symlink():
        return False
    return not (folder / ENVIRONMENT).exists() and rules.allows(folder)


def stamp_of(file: Path) -> Stamp | None:
    """None for what is no ordinary file, or too large."""
    try:
        status = file.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_FILE:
        return None
    return Stamp(status.st_size, status.st_mtime_ns)


def is_written(text: bytes) -> bool:
    """Whether a person may have written it line by line."""
    return len(text) <= LONGEST_LINES * (text.count(b"\n") + 1)
