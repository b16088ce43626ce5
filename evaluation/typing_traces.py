"""Typing traces: a person at work on real files, one small change after the other.

A trace writes some lines of a file again, as they are: word by word, at times the rest of a line at
once, as when a suggestion is accepted; now and then a line above is changed, or the cursor jumps to
another place in the file and goes on there. What comes next never depends on what was suggested, so
that every engine is asked about the same texts in the same order.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evaluation.repositories import Repository

LINES = 12  # of a file that one trace writes
SHORTEST_FILE = 120  # lines
ACCEPTED = 0.3  # of pauses within a line, after which the rest of it comes at once
EDITED_ABOVE = 0.15  # of lines, before which a line above is changed
JUMPED = 0.15  # of lines, before which the cursor jumps to another place
WORD = re.compile(r"\s*(?:\w+|[^\w\s])")


@dataclass(frozen=True, slots=True)
class Moment:
    """A text and a cursor in it, after a change of that `kind`: there the editor asks."""

    kind: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Trace:
    """Moments in order, and the text that the document holds before the first of them."""

    document: str
    text: str
    moments: tuple[Moment, ...]


def draw_traces(repositories: Sequence[Repository], count: int, seed: int) -> list[Trace]:
    """`count` traces, the repositories taking turns; the same seed gives the same ones."""
    traces: list[Trace] = []
    for number in range(count):
        choose = random.Random(f"{seed}/{number}")  # noqa: S311 - draws traces
        repository = repositories[number % len(repositories)]
        files = {
            path: text.splitlines(keepends=True)
            for path, text in repository.files.items()
            if text.count("\n") >= SHORTEST_FILE
        }
        path = choose.choice(sorted(files))
        moments = tuple(moments_in(files[path], choose))
        first = moments[0]
        traces.append(Trace(f"{repository.name}/{path}", first.before + first.after, moments))
    return traces


def moments_in(lines: Sequence[str], choose: random.Random) -> Iterator[Moment]:
    """What is typed into a file whose lines these will be in the end."""
    place = choose.randrange(len(lines) // 3, len(lines) - 2 * LINES)
    above, below = list(lines[:place]), list(lines[place + LINES :])
    todo = list(lines[place : place + LINES])
    kind = "open"
    while todo:
        if kind != "open" and choose.random() < EDITED_ABOVE:
            changed = choose.randrange(max(0, len(above) - 60), len(above))
            above[changed] = above[changed].rstrip("\n") + "  # changed\n"
            kind = "edit-above"
        elif kind != "open" and choose.random() < JUMPED and len(below) > LINES + 1:
            passed = choose.randrange(1, min(40, len(below) - LINES))
            above += [*todo, *below[:passed]]
            todo, below = below[passed : passed + LINES // 2], below[passed + LINES // 2 :]
            kind = "jump"
        line = todo.pop(0)
        yield from typed(kind, "".join(above), line, "".join(below), choose)
        above.append(line)
        kind = "line"


def typed(kind: str, above: str, line: str, below: str, choose: random.Random) -> Iterator[Moment]:
    """The cursor on an empty line, then after some of its words."""
    code = line.rstrip("\n")
    end = len(code) - len(code.lstrip())
    yield Moment(kind, above + code[:end], "\n" + below)
    while end < len(code):
        if choose.random() < ACCEPTED:
            yield Moment("accept", above + code, "\n" + below)
            return
        words = list(WORD.finditer(code, end))[: choose.randrange(1, 4)]
        end = words[-1].end() if words else len(code)
        yield Moment("word", above + code[:end], "\n" + below)
