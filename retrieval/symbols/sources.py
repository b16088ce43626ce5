"""Modules of a workspace as they are on disk, read when they are asked for.

Only source files below the workspace's root are read, never those whose name tells of secrets, and
nothing that is not an ordinary file of an ordinary size.
"""

import os
import stat
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from tree_sitter import Node

from retrieval.grammars import DECLARED_SUFFIXES, grammar_of
from retrieval.trees import parse
from retrieval.workspace_files import holds_secrets

LARGEST_FILE = 1 << 20
MOST_FILES = 2048
T = TypeVar("T")


@dataclass(slots=True)
class SourceFiles(Generic[T]):
    """What `read` makes of the tree of a file, kept while the file stays as it is."""

    read: Callable[[Node, str], T]
    _known: "OrderedDict[str, tuple[tuple[int, int], T]]" = field(default_factory=OrderedDict)

    def get(self, path: str, root: str) -> T | None:
        """None where there is no such file that may be read."""
        try:
            real = real_file(path, root)
            grammar = grammar_of(real)
            if grammar is None or not real.endswith(DECLARED_SUFFIXES) or not may_be_read(real):
                return None
            status = Path(real).stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if (known := self._known.get(real)) is not None and known[0] == stamp:
                self._known.move_to_end(real)
                return known[1]
            found = self.read(parse(Path(real).read_bytes(), grammar), real)
        except (OSError, ValueError, RecursionError):  # a path with a NUL, types a thousand deep
            return None
        self._known[real] = stamp, found
        while len(self._known) > MOST_FILES:
            self._known.popitem(last=False)
        return found


def real_file(path: str, root: str) -> str:
    """Where a file really lies. Raises `PermissionError` where that is outside of `root`."""
    real = os.path.realpath(path)
    if not Path(real).is_relative_to(os.path.realpath(root)):
        raise PermissionError(f"{path} lies outside of the workspace")
    return real


def may_be_read(path: str) -> bool:
    """Whether it is an ordinary file. Raises `OSError` where there is none."""
    status = Path(path).stat()
    is_ordinary = stat.S_ISREG(status.st_mode) and status.st_size <= LARGEST_FILE
    return is_ordinary and not holds_secrets(Path(path))
