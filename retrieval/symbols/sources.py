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

from retrieval.symbols.grammars import grammar_of, parse
from retrieval.workspace_files import holds_secrets

LARGEST_FILE = 1 << 20
MOST_FILES = 512
T = TypeVar("T")


@dataclass(slots=True)
class SourceFiles(Generic[T]):
    """What `read` makes of the tree of a file, kept while the file stays as it is."""

    read: Callable[[Node, str], T]
    _known: "OrderedDict[str, tuple[tuple[int, int], T]]" = field(default_factory=OrderedDict)

    def get(self, path: str, root: str) -> T | None:
        """None where there is no such file that may be read."""
        real, grammar = os.path.realpath(path), grammar_of(path)
        is_inside = Path(real).is_relative_to(os.path.realpath(root))
        if grammar is None or not is_inside or holds_secrets(Path(real)):
            return None
        try:
            status = Path(real).stat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_FILE:
                return None
            stamp = (status.st_mtime_ns, status.st_size)
            if (known := self._known.get(real)) is not None and known[0] == stamp:
                self._known.move_to_end(real)
                return known[1]
            found = self.read(parse(Path(real).read_bytes(), grammar), real)
        except OSError:
            return None
        self._known[real] = stamp, found
        while len(self._known) > MOST_FILES:
            self._known.popitem(last=False)
        return found
