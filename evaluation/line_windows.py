"""Windows of a repository's lines, and which are most like the lines before a place in it.

The search of RepoCoder's first round (Zhang et al. 2023, "RepoCoder", section 2.1; microsoft/CodeT,
`RepoCoder/make_window.py`, `search_code.py`, `build_prompt.py`): windows of 20 lines, one every
10; likeness is the Jaccard index of the sets of their tokens and of those of the 20 lines before
the place; what is read of a window found is the one half a window later, where it goes on. Tokens
are words and single signs here, in place of those of one model's tokenizer, so that every model
reads the same. Nothing here knows what the lines are read for.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval.related.similar_code import CodeBlock

WINDOW, STEP = 20, 10  # lines
MOST_FOUND = 20
TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Hole:
    """A place in a file: what is shown of it begins at one line and ends before another, both
    counted from 0."""

    path: str
    first_shown: int
    line: int


@dataclass(frozen=True, slots=True)
class Window:
    """Lines of a file, from 0 on and without the last; `tokens` are the words and signs in them."""

    path: str
    end: int
    tokens: frozenset[str]


@dataclass(frozen=True, slots=True)
class RepositoryLines:
    """The lines of each Python file of a repository, by path, and all windows over them."""

    files: dict[str, list[str]]
    windows: tuple[Window, ...]

    def like(self, hole: Hole) -> Iterator[CodeBlock]:
        """Where the windows go on that are most like what stands before a place, the likest first.

        None of them shows the place or what follows it.
        """
        lines = self.files[hole.path]
        query = tokens_of(lines[max(hole.first_shown, hole.line - WINDOW) : hole.line])
        allowed = [w for w in self.windows if w.path != hole.path or w.end <= hole.first_shown]
        ranked = sorted(allowed, key=lambda window: jaccard(query, window.tokens), reverse=True)
        for window in ranked[:MOST_FOUND]:
            block = self._next(window)
            last = block.first_line - 1 + block.text.count("\n")
            if window.path != hole.path or last < hole.line:
                yield block

    def _next(self, window: Window) -> CodeBlock:
        lines = self.files[window.path]
        end = min(window.end + STEP, len(lines))
        start = max(0, end - WINDOW)
        return CodeBlock(window.path, start + 1, "".join(f"{one}\n" for one in lines[start:end]))


def read_lines(folder: Path) -> RepositoryLines:
    """A repository as it lies in a folder; files that are no UTF-8 are left out."""
    files: dict[str, list[str]] = {}
    for file in sorted(folder.rglob("*.py")):
        try:
            files[file.relative_to(folder).as_posix()] = file.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
    windows = [one for path, lines in files.items() for one in windows_of(path, lines)]
    return RepositoryLines(files, tuple(windows))


def windows_of(path: str, lines: Sequence[str]) -> Iterator[Window]:
    for middle in range(0, len(lines), STEP):
        start, end = max(0, middle - WINDOW // 2), min(len(lines), middle + WINDOW // 2)
        yield Window(path, end, tokens_of(lines[start:end]))


def tokens_of(lines: Sequence[str]) -> frozenset[str]:
    return frozenset(token for line in lines for token in TOKEN.findall(line))


def jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    """From 0 to 1: how much of what either has both have."""
    either = len(first | second)
    return len(first & second) / either if either else 0.0
