"""Code of the repository that is related to what stands at a cursor.

Which files to look into is asked of the index; the lines are then read from the files as they are
now. Nothing here knows how many tokens they take, or what becomes of them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from retrieval.index.database import IndexDatabase
from retrieval.index.source_files import LARGEST_FILE, is_written, read_source
from retrieval.index.update import never
from retrieval.related.similar_code import (
    CodeBlock,
    Likeness,
    most_alike,
    names_around,
    similar_windows,
)
from retrieval.workspace_files import WorkspaceFiles

TELLING_NAMES = 24  # of those around the cursor, by which files are found
MOST_FILES = 20
MOST_BLOCKS = 16


@dataclass(frozen=True, slots=True)
class RelatedCode:
    """Blocks for one file of a repository, the best first; both are called as a person would."""

    repository: str = ""
    path: str = ""
    blocks: tuple[CodeBlock, ...] = ()


NOTHING_RELATED = RelatedCode()


@dataclass(frozen=True, slots=True)
class RepositoryCode:
    """What is found in one repository, below `root`, by its index.

    `opened` are texts that an editor has, by path relative to the root: they are looked into first,
    and in place of the files.
    """

    root: Path
    database: IndexDatabase
    rules: WorkspaceFiles
    opened: Mapping[str, str]

    def related(
        self, path: str, before: str, after: str, stop: Callable[[], bool] = never
    ) -> RelatedCode:
        """Code of other files than the one at `path` that is like the lines around the cursor; what
        is found until told to `stop`, which is asked before each file."""
        around = names_around(before, after)
        rarity = self.database.names.rarity(around)
        rarest = sorted(rarity, key=lambda name: -rarity[name])[:TELLING_NAMES]
        unknown = max(rarity.values(), default=1.0)  # names of texts that are not indexed
        weights = dict.fromkeys(around, unknown) | rarity
        found = self._windows(path, rarest, weights, stop)
        return RelatedCode(self.root.name, path, tuple(most_alike(found, MOST_BLOCKS)))

    def _windows(
        self, path: str, rarest: list[str], rarity: Mapping[str, float], stop: Callable[[], bool]
    ) -> Iterator[Likeness]:
        paths = [*self.opened, *self.database.names.files_with(rarest, MOST_FILES + 1)]
        for other in dict.fromkeys(paths):
            if stop():
                return
            if other != path and (text := self._text(other)) is not None:
                yield from similar_windows(other, text, rarity)

    def _text(self, path: str) -> str | None:
        if (opened := self.opened.get(path)) is not None:
            text: bytes | None = opened[: LARGEST_FILE + 1].encode(errors="replace")
        else:
            text = read_source(self.root, path) if self.rules.allows(self.root / path) else None
        if text is None or len(text) > LARGEST_FILE or not is_written(text):
            return None
        return text.decode(errors="replace")
