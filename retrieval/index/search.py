"""Finding APIs for a wish in words: by its words, by its meaning, or by both."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from retrieval.index.database import IndexDatabase, Place
from retrieval.index.source_files import read_source
from retrieval.index.update import Embeds
from retrieval.index.vector_search import VectorSearch
from retrieval.index.words import words_asked

DEEP = 100  # of each ranking, what is fused
RANK_CONSTANT = 10  # of a hundred; 60 in the paper is for a thousand
TESTS = re.compile(
    r"(?:^|/)(?:tests?|__tests__|spec)/|(?:^|/)(?:test_[^/]*|conftest)\.py$"
    r"|(?:_test\.(?:py|go)|\.(?:test|spec)\.\w+|Tests?\.java)$"
)
MOST_CALLERS = 20


@dataclass(frozen=True, slots=True)
class Example:
    """A line that calls an API."""

    path: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    place: Place
    example: Example | None


# Puts declarations that were found for a wish in a better order.
Reorder = Callable[[str, Sequence[Place]], Sequence[Place]]


def as_found(_: str, places: Sequence[Place]) -> Sequence[Place]:
    """There is no better order."""
    return places


class ApiSearch:
    """Searches one index as it is now, and not what is added to it later."""

    def __init__(self, database: IndexDatabase, root: Path, embedder: Embeds | None) -> None:
        self._database = database
        self._root = root
        self._embedder = embedder

    def search(self, wish: str, limit: int, reorder: Reorder = as_found) -> list[Hit]:
        """The declarations that fit best, tests last; without an embedder by words alone."""
        places = self._database.places(self.ranked(wish))
        code, tests = ([one for one in places if is_test(one.path) == of] for of in (False, True))
        best = [*reorder(wish, code), *tests][:limit]
        return [Hit(place, self._example(place)) for place in best]

    def ranked(self, wish: str) -> list[int]:
        """Both rankings fused, or that by words alone."""
        rankings = [self.lexical(wish, DEEP)]
        if self._embedder is not None:
            rankings.append(self.dense(wish, DEEP))
        return fused(rankings)

    def lexical(self, wish: str, limit: int) -> list[int]:
        return self._database.lexical(words_asked(wish), limit)

    def dense(self, wish: str, limit: int) -> list[int]:
        assert self._embedder is not None
        [vector] = self._embedder.encode([wish])
        nearest = self._vectors.nearest(vector, limit)
        return [id for one in nearest for id in self._database.declared_with(one)][:limit]

    @cached_property
    def _vectors(self) -> VectorSearch:
        return VectorSearch(self._database.vectors())

    def _example(self, place: Place) -> Example | None:
        """A call of it, in another file if there is one.

        Of a name that is declared several times only where its module or class is imported.
        """
        name = place.declaration.name
        calls = self._database.calls(name, MOST_CALLERS)
        if self._database.count_named(name) > 1:
            calls = [call for call in calls if self._is_known_in(call[0], place)]
        for path, line in sorted(calls, key=lambda call: call[0] == place.path):
            if name in (text := line_of(self._root, path, line)):
                return Example(path, line, text.strip())
        return None

    def _is_known_in(self, path: str, place: Place) -> bool:
        """Whether a file imports, by name, the module that it is declared in, or its class."""
        classes = place.declaration.qualified.split(".")[:-1]
        module = PurePosixPath(place.path)
        names = {*classes, module.parent.name if module.stem == "__init__" else module.stem}
        return path == place.path or any(
            one.name in names or re.split(r"[./]", one.module)[-1] in names
            for one in self._database.imports(path)
        )


def fused(rankings: Sequence[Sequence[int]]) -> list[int]:
    """Reciprocal rank fusion: each ranking gives 1 / (10 + rank) (Cormack et al. 2009)."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, id in enumerate(ranking, 1):
            scores[id] = scores.get(id, 0.0) + 1 / (RANK_CONSTANT + rank)
    return sorted(scores, key=lambda id: (-scores[id], id))


def is_test(path: str) -> bool:
    """Whether a file holds tests, by where it lies and how it is called."""
    return TESTS.search(path) is not None


def line_of(root: Path, path: str, number: int) -> str:
    """Nothing where the file has no such line any more."""
    lines = (read_source(root, path) or b"").split(b"\n")
    return lines[number - 1].decode(errors="replace") if number <= len(lines) else ""
