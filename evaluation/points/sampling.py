"""Which completion points of a repository are asked at: drawn by kind, with a seed, without leaks.

Every kind has its turn, and every file before any has a second one, so that neither a kind that is
frequent nor a file that is long decides the figures.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from evaluation.dereferences import in_turns, is_judged
from evaluation.points.kinds import CompletionPoint, PointKind, points_in
from evaluation.repositories import Repository

TELLING = 20  # characters of code that do not come twice by chance


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A place in a file of a repository: the text before the cursor, what is hidden, the rest."""

    repository: str
    path: str
    kind: PointKind
    before: str
    truth: str
    after: str

    @property
    def line(self) -> int:
        """The cursor's line, from 1 on."""
        return self.before.count("\n") + 1

    @property
    def key(self) -> str:
        """What tells it from every other place of the repository."""
        return f"{self.path}:{self.line}:{len(self.begun) + 1}:{self.kind}"

    @property
    def begun(self) -> str:
        """What stands before the cursor in its line."""
        return self.before.rpartition("\n")[2]


def draw_held_out(repository: Repository, count: int, seed: int) -> list[HeldOut]:
    """Up to `count` places, the kinds in turns, no two in one line.

    Where a kind has no more places, the others go on. The same seed gives the same places, and the
    first ones of a larger draw.
    """
    copies = Copies.of(repository.files)
    taken: set[tuple[str, int]] = set()
    texts = {path: text for path, text in repository.files.items() if is_judged(path, text)}
    points = {path: points_in(text.encode(), path) for path, text in sorted(texts.items())}

    def fresh(kind: PointKind) -> Iterator[HeldOut]:
        choose = random.Random(f"{seed}/{repository.name}/{kind}")  # noqa: S311 - draws places
        for path, point in file_by_file(points, kind, choose):
            place = held_out(repository.name, path, texts[path], point)
            if (path, place.line) not in taken and not copies.tell(place):
                taken.add((path, place.line))
                yield place

    return in_turns([fresh(kind) for kind in PointKind], count)


def file_by_file(
    points: Mapping[str, Sequence[CompletionPoint]], kind: PointKind, choose: random.Random
) -> Iterator[tuple[str, CompletionPoint]]:
    """The points of a kind in a random order, one of each file, then a second one of each..."""
    left = {
        path: choose.sample(own, len(own))
        for path, found in points.items()
        if (own := [point for point in found if point.kind is kind])
    }
    paths = choose.sample(list(left), len(left))
    for turn in range(max(map(len, left.values()), default=0)):
        for path in paths:
            for point in islice(left[path], turn, turn + 1):
                yield path, point


def held_out(repository: str, path: str, text: str, point: CompletionPoint) -> HeldOut:
    data = text.encode()
    before, truth, after = data[: point.cursor], data[point.cursor : point.end], data[point.end :]
    return HeldOut(repository, path, point.kind, before.decode(), truth.decode(), after.decode())


@dataclass(frozen=True, slots=True)
class Copies:
    """Tells whether what is hidden at a place stands in sight elsewhere.

    `runs` counts, over all files, each three lines of code that follow one another.
    """

    runs: Counter[tuple[str, ...]]

    @classmethod
    def of(cls, files: Mapping[str, str]) -> "Copies":
        return cls(Counter(run for text in files.values() for run in runs_of(code_lines(text))))

    def tell(self, place: HeldOut) -> bool:
        """Whether the hidden lines are written again below the cursor, where whoever writes from
        the top down has not been yet, or stand among the same lines in another place, which is
        then a copy."""
        above, below = code_lines(place.before.removesuffix(place.begun)), code_lines(place.after)
        hidden = code_lines(place.begun + place.truth)
        if any(self.runs[run] > 1 for run in runs_of([*above[-1:], *hidden, *below[:1]])):
            return True
        telling = [line for line in hidden if len(line) >= TELLING]
        return bool(telling) and not set(telling).isdisjoint(below)


def code_lines(text: str) -> list[str]:
    """The lines of a text without blank ones, and without the blanks around each."""
    return [line for each in text.splitlines() if (line := each.strip())]


def runs_of(lines: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return zip(lines, lines[1:], lines[2:], strict=False)
