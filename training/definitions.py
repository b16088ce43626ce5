"""Code of a package's other files that tells what is missing: where its names are defined."""

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from retrieval.related.similar_code import CodeBlock
from training.documents import Document

DEFINITION = re.compile(r"^[ \t]*(?:async def|def|class)[ \t]+(\w+)", re.M)
NAME = re.compile(r"[A-Za-z_]\w{3,}")
LINES_BEFORE, LINES_AFTER = 2, 14  # of the line that defines a name
COMMON = 4  # definitions of one name, from which on it tells nothing
MOST_BLOCKS = 3
BESIDE = 0.4  # of the times there is code as well that tells nothing of what is missing
MOST_BESIDE = 2


class Definitions:
    """Definitions of one package by name."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._places: dict[str, list[tuple[Document, int]]] = defaultdict(list)
        self._all: list[tuple[Document, int]] = []
        for document in documents:
            for found in DEFINITION.finditer(document.text):
                self._all.append((document, found.start(1)))
                self._places[found[1]].append(self._all[-1])

    def blocks(self, document: Document, missing: str, rng: random.Random) -> list[CodeBlock]:
        """Lines of other files that define names of the missing text, at times with others, in any
        order."""
        found = list(self._find(document, missing))
        rng.shuffle(found)
        found = found[: rng.randint(1, MOST_BLOCKS)]
        if found and rng.random() < BESIDE:
            drawn = rng.choices(self._all, k=rng.randint(1, MOST_BESIDE))
            found += [lines_around(*one) for one in drawn if one[0].path != document.path]
            rng.shuffle(found)
        return found

    def _find(self, document: Document, missing: str) -> Iterator[CodeBlock]:
        for name in sorted(set(NAME.findall(missing))):
            places = self._places.get(name, [])
            if 0 < len(places) <= COMMON:
                for other, at in places:
                    if other.path != document.path:
                        yield lines_around(other, at)


def lines_around(document: Document, at: int) -> CodeBlock:
    """Whole lines around a character, each with its line end."""
    lines = document.text.split("\n")
    number = document.text.count("\n", 0, at)
    first = max(0, number - LINES_BEFORE)
    chosen = lines[first : number + LINES_AFTER]
    return CodeBlock(document.path, first + 1, "\n".join(chosen).rstrip() + "\n")
