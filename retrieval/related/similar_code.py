"""Which lines of other files are most like the lines around a cursor.

Likeness is of the names in them, rare ones above all: how it is spelled tells more of code than
how it is built (retrieval by windows of lines as in Zhang et al. 2023, "RepoCoder", section 2.1;
what is measured of it here: `docs/related.md`). Nothing here knows where the lines come from.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from retrieval.index.words import identifiers_of

WINDOW_LINES = 12
STEP_LINES = 4
LINES_BEFORE, LINES_AFTER = 8, 6  # of the cursor, that are compared
LONGEST_LINE = 1_000  # characters, of a line whose names are compared
LONGEST_WINDOW = 4_000  # characters; more was not written line by line
LEAST_SHARE = 0.1  # of all that the names around a cursor tell; less in common is by chance
FEW_NAMES = 20  # in a window, below which it counts little that it has even fewer


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Whole lines of a file, the first of them counted from 1; the path is relative."""

    path: str
    first_line: int
    text: str


@dataclass(frozen=True, slots=True)
class Likeness:
    """A block, and how like it is to what was compared with it; above 0, more is better."""

    score: float
    block: CodeBlock


def names_around(before: str, after: str) -> list[str]:
    """The names on the lines around a cursor, each once: those of its own line first, then of the
    lines above, then of the ones below."""
    above = before.rsplit("\n", LINES_BEFORE)[-LINES_BEFORE:]
    below = after.split("\n", LINES_AFTER + 1)[1 : LINES_AFTER + 1]
    lines = [above[-1][-LONGEST_LINE:], *(line[:LONGEST_LINE] for line in (*above[-2::-1], *below))]
    return list(dict.fromkeys(name for line in lines for name in identifiers_of(line)))


def similar_windows(path: str, text: str, rarity: Mapping[str, float]) -> Iterator[Likeness]:
    """The windows of a file with enough names in common with what `rarity` knows, in text order.

    A window is as alike as the names in common are rare, and less so the more others it has.
    """
    least = LEAST_SHARE * sum(rarity.values())
    lines = text.split("\n")
    named = [frozenset(identifiers_of(line)) for line in lines]
    for start in range(0, max(1, len(lines) - STEP_LINES), STEP_LINES):
        names = frozenset().union(*named[start : start + WINDOW_LINES])
        common = sum(rarity[name] for name in names if name in rarity)
        window = "\n".join(lines[start : start + WINDOW_LINES]).rstrip() + "\n"
        if common > least and len(window) <= LONGEST_WINDOW:
            block = CodeBlock(path, start + 1, window)
            yield Likeness(common / (FEW_NAMES + len(names)), block)


def most_alike(found: Iterable[Likeness], most: int) -> list[CodeBlock]:
    """The best blocks, the best first, no two of which have a line in common or the same text."""
    chosen: list[CodeBlock] = []
    for one in sorted(found, key=lambda one: (-one.score, one.block.path, one.block.first_line)):
        if len(chosen) == most:
            break
        if not any(overlap(one.block, other) for other in chosen):
            chosen.append(one.block)
    return chosen


def overlap(first: CodeBlock, second: CodeBlock) -> bool:
    """Whether two blocks say the same, at least in part."""
    near = abs(first.first_line - second.first_line) < WINDOW_LINES
    return first.text == second.text or (first.path == second.path and near)
