"""Traces of typing: somebody writes part of a real file again, and what the editor asks meanwhile.

A trace is drawn from a file with a seed and is wholly known before anything runs: neither what is
suggested nor how long it takes changes what is typed next. It knows texts and pauses; who is asked
and how that is timed is none of its business.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from completion.token_difference import common_prefix
from evaluation.repositories import Repository

# Milliseconds to the next step, drawn from log-normal distributions (median, sigma of the
# logarithm): between two keys, and where the typist stops to think or to look at a suggestion.
KEY_GAP = (140.0, 0.5)
THINKING = (700.0, 0.6)
THINKS_AT_WORD_END = 0.25
ASKED_MS = 300.0  # who goes on sooner does not wait for a suggestion
LONGEST_PAUSE_MS = 1000.0  # longer ones would only lengthen the run
GOAL_LINES = 64  # of the file, taken away and written again
LINES_ABOVE = 64
TRIES = 400


@dataclass(frozen=True, slots=True)
class TraceStep:
    """The text around the cursor once the step is done, and the pause after it.

    The pause begins with the step, or with the answer where the typist waits for one.
    """

    kind: str
    before: str
    after: str
    pause_ms: float

    @property
    def text(self) -> str:
        return self.before + self.after

    @property
    def asked(self) -> bool:
        """Whether the typist waits for a suggestion here; else the next step comes at once."""
        return self.pause_ms >= ASKED_MS


@dataclass(frozen=True, slots=True)
class Trace:
    """One file being edited, from the text it is opened with."""

    repository: str
    path: str
    opened: str
    steps: tuple[TraceStep, ...]

    @property
    def asked(self) -> list[TraceStep]:
        return [step for step in self.steps if step.asked]

    def until(self, count: int) -> "Trace":
        """The same up to its `count`th step at which the typist waits."""
        places = [place for place, step in enumerate(self.steps, 1) if step.asked]
        return (
            self if len(places) <= count else replace(self, steps=self.steps[: places[count - 1]])
        )


@dataclass(frozen=True, slots=True)
class Change:
    """Characters `start` to `end` of a text are replaced by `text`."""

    start: int
    end: int
    text: str


def change_between(old: str, new: str) -> Change | None:
    """The one change that makes `new` of `old`: what lies between their common ends."""
    if old == new:
        return None
    head = common_prefix(old, new)
    tail = common_prefix(old[head:][::-1], new[head:][::-1])
    return Change(head, len(old) - tail, new[head : len(new) - tail])


def draw_traces(
    repositories: Sequence[Repository], asked: int, seed: int, least_above: int
) -> list[Trace]:
    """Traces that ask `asked` times in all, the repositories taking turns; the same for a seed.

    Each begins with at least `least_above` characters above the cursor. Fewer, or none, where no
    file is long enough.
    """
    traces: list[Trace] = []
    left, number = asked if repositories else 0, 0
    while left > 0:
        choose = random.Random(f"{seed}/{number}")  # noqa: S311 - draws cases
        trace = draw_trace(repositories[number % len(repositories)], choose, least_above)
        number += 1
        if trace is None:
            if not traces and number == len(repositories):
                break
            continue
        traces.append(trace.until(left))
        left -= len(traces[-1].asked)
    return traces


def draw_trace(repository: Repository, choose: random.Random, least_above: int) -> Trace | None:
    """A trace from some file of a repository; None where none of it is long enough."""
    paths = sorted(repository.files)
    for _ in range(TRIES if paths else 0):
        path = choose.choice(paths)
        lines = repository.files[path].splitlines(keepends=True)
        if len(lines) < LINES_ABOVE + GOAL_LINES + 1:
            continue
        place = choose.randrange(LINES_ABOVE, len(lines) - GOAL_LINES)
        above, goal = lines[:place], lines[place : place + GOAL_LINES]
        if sum(map(len, above)) < least_above or sum(map(str.isspace, goal)) > GOAL_LINES // 3:
            continue
        typist = Typist("".join(above), goal, "".join(lines[place + GOAL_LINES :]), choose)
        opened = typist.text
        return Trace(repository.name, path, opened, tuple(typist.work()))
    return None


class Typist:
    """Writes `goal` lines between what stands above and below, in the many ways of an editor."""

    def __init__(self, above: str, goal: Sequence[str], below: str, choose: random.Random) -> None:
        self._before = above.removesuffix("\n")
        self._after = "\n" + below
        self._goal = [line.rstrip("\n") for line in goal]
        self._choose = choose

    @property
    def text(self) -> str:
        return self._before + self._after

    def work(self) -> Iterator[TraceStep]:
        """The file opened, then lines typed, and between them, in some order, all else."""
        yield self._standing("open", len(self._before))
        events = [self.accept, self.paste, self.edit_above, self.undo, self.jump]
        self._choose.shuffle(events)
        for event in events:
            yield from self.type_line()
            yield from event()

    def type_line(self) -> Iterator[TraceStep]:
        """A new line begun, indented by the editor, and typed key by key."""
        while not self._goal[0].strip():
            yield self._inserted("line", "\n" + self._goal.pop(0), self._gap())
        line = self._goal.pop(0)
        code = line.lstrip()
        yield self._inserted("line", "\n" + line[: len(line) - len(code)], self._thought())
        for place, key in enumerate(code, 1):
            ends_word = is_name(key) and not is_name(code[place : place + 1])
            thinks = ends_word and self._choose.random() < THINKS_AT_WORD_END
            yield self._inserted("typing", key, self._thought() if thinks else self._gap())

    def accept(self) -> Iterator[TraceStep]:
        """A few lines accepted at once."""
        yield self._inserted("accept", self._lines(self._choose.randrange(2, 7)), self._thought())

    def paste(self) -> Iterator[TraceStep]:
        """A block pasted."""
        yield self._inserted("paste", self._lines(self._choose.randrange(8, 25)), self._thought())

    def edit_above(self) -> Iterator[TraceStep]:
        """A line above cut, written twice or emptied, and back to where the work is."""
        self._before, cursor = self._edited()
        yield self._standing("edit-above", cursor)
        yield self._standing("jump", len(self._before))

    def undo(self) -> Iterator[TraceStep]:
        """An edit above, undone."""
        original = self._before
        self._before, cursor = self._edited()
        yield self._standing("edit-above", cursor)
        self._before = original
        yield self._standing("undo", min(cursor, len(original)))
        yield self._standing("jump", len(self._before))

    def jump(self) -> Iterator[TraceStep]:
        """Another place looked at, and back."""
        lines = self._before.splitlines(keepends=True)
        there = self._choose.randrange(3, 40)
        yield self._standing("jump", len("".join(lines[:-there]).removesuffix("\n")))
        yield self._standing("jump", len(self._before))

    def _edited(self) -> tuple[str, int]:
        """The text before the place of work with a line changed, and the end of that change."""
        lines = self._before.splitlines(keepends=True)
        there = len(lines) - self._choose.randrange(3, 40)
        while not lines[there].strip():
            there -= 1
        line = lines[there].rstrip("\n")
        words = line.rstrip().rpartition(" ")[0]
        head, tail = "".join(lines[:there]), "".join(lines[there + 1 :])
        new = self._choose.choice([words, f"{line}\n{line}", ""])
        return head + new + "\n" + tail, len(head + new)

    def _lines(self, count: int) -> str:
        taken, self._goal = self._goal[:count], self._goal[count:]
        return "".join("\n" + line for line in taken)

    def _inserted(self, kind: str, text: str, pause_ms: float) -> TraceStep:
        self._before += text
        return TraceStep(kind, self._before, self._after, pause_ms)

    def _standing(self, kind: str, cursor: int) -> TraceStep:
        text = self.text
        return TraceStep(kind, text[:cursor], text[cursor:], self._thought())

    def _gap(self) -> float:
        return self._pause(KEY_GAP)

    def _thought(self) -> float:
        return max(ASKED_MS, self._pause(THINKING))

    def _pause(self, distribution: tuple[float, float]) -> float:
        middle, sigma = distribution
        return min(LONGEST_PAUSE_MS, self._choose.lognormvariate(math.log(middle), sigma))


def is_name(character: str) -> bool:
    return character == "_" or character.isalnum()
