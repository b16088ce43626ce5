"""Edit cases: what an editor asks before and after an edit, with one line of the file held out.

A case is a short row of requests over one document. The last one stands on the held-out line; how
the text came to be as it is then is the kind of the case. Cases are drawn from repositories with
a seed; the model never sees where they were drawn from.
"""

import difflib
import keyword
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from completion.values import CompletionRequest
from evaluation.repositories import Repository

SHORTEST_LINE = 8  # characters of a line that is worth completing
TRIES = 400


@dataclass(frozen=True, slots=True)
class EditCase:
    """Requests in order, the last of them the one that is judged, and the line it hides."""

    kind: str
    repository: str
    requests: tuple[CompletionRequest, ...]
    truth: str


@dataclass(frozen=True, slots=True)
class Spot:
    """A line of a file, held out: its text, and the lines before and after it."""

    repository: Repository
    path: str
    above: tuple[str, ...]
    line: str
    below: tuple[str, ...]

    @property
    def indent(self) -> str:
        return self.line[: len(self.line) - len(self.line.lstrip())]

    def request(self, above: Sequence[str] | None = None, typed: str = "") -> CompletionRequest:
        """The cursor on the held-out line, after its indentation and what is typed of it."""
        lines = self.above if above is None else above
        return CompletionRequest(
            document=f"{self.repository.name}/{self.path}",
            before="".join(lines) + self.indent + typed,
            after="\n" + "".join(self.below),
        )


Draw = Callable[[Spot, random.Random], tuple[CompletionRequest, ...] | None]


def typing(spot: Spot, choose: random.Random) -> tuple[CompletionRequest, ...] | None:
    """A few characters typed on the line."""
    text = spot.line.strip()
    typed = choose.randrange(1, min(12, len(text) - 2))
    return (spot.request(), spot.request(typed=text[:typed]))


def line_typed(spot: Spot, _: random.Random) -> tuple[CompletionRequest, ...] | None:
    """The line before it was typed and a new one begun."""
    if not (spot.above and spot.above[-1].strip()):
        return None
    return (spot.request(spot.above[:-1]), spot.request())


def accept(spot: Spot, choose: random.Random) -> tuple[CompletionRequest, ...] | None:
    """Several lines above it were accepted at once."""
    count = choose.randrange(2, 7)
    if len(spot.above) <= count:
        return None
    return (spot.request(spot.above[:-count]), spot.request())


def move(spot: Spot, choose: random.Random) -> tuple[CompletionRequest, ...] | None:
    """The cursor came from another line."""
    whole = [*spot.above, spot.indent + "\n", *spot.below]
    here = len(spot.above)
    distance = choose.choice([-1, 1]) * choose.randrange(3, 40)
    if not 0 < here + distance < len(whole):
        return None
    there = here + distance
    line = whole[there].rstrip("\n")
    first = CompletionRequest(
        document=spot.request().document,
        before="".join(whole[:there]) + line,
        after="\n" + "".join(whole[there + 1 :]),
    )
    return (first, spot.request())


def edit_above(spot: Spot, choose: random.Random) -> tuple[CompletionRequest, ...] | None:
    """A line above was written, removed or changed."""
    distance = choose.randrange(3, 60)
    if len(spot.above) <= distance or not spot.above[-distance].strip():
        return None
    place = len(spot.above) - distance
    head, line, tail = spot.above[:place], spot.above[place], spot.above[place + 1 :]
    words = line.split(" ")
    shorter = " ".join(words[:-1]) + "\n" if len(words) > 1 else "\n"
    above = choose.choice([(*head, *tail), (*head, line, line, *tail), (*head, shorter, *tail)])
    return (spot.request(above), spot.request())


def undo(spot: Spot, choose: random.Random) -> tuple[CompletionRequest, ...] | None:
    """An edit above was made and undone."""
    edited = edit_above(spot, choose)
    return None if edited is None else (spot.request(), edited[0], spot.request())


def redo(spot: Spot, choose: random.Random) -> tuple[CompletionRequest, ...] | None:
    """An edit above was made, undone and made again."""
    edited = edit_above(spot, choose)
    return None if edited is None else (edited[0], edited[1], edited[0], edited[1])


def paste(spot: Spot, choose: random.Random) -> tuple[CompletionRequest, ...] | None:
    """A block above was pasted."""
    count, distance = choose.randrange(5, 25), choose.randrange(1, 30)
    start = len(spot.above) - distance - count
    if start < 1:
        return None
    return (spot.request(spot.above[:start] + spot.above[start + count :]), spot.request())


def rename(spot: Spot, choose: random.Random) -> tuple[CompletionRequest, ...] | None:
    """A name was changed wherever it stands."""
    near = "".join(spot.above[-80:])
    counts: dict[str, int] = {}
    for name in re.findall(r"[A-Za-z_]\w{3,}", near):
        counts[name] = counts.get(name, 0) + 1
    names = sorted(n for n, c in counts.items() if 3 <= c <= 20 and not keyword.iskeyword(n))
    if not names:
        return None
    name = choose.choice(names)
    other = choose.choice(["old_" + name, name + "_", name[: len(name) // 2 + 1], name + "s"])

    def renamed(text: str) -> str:
        return re.sub(rf"\b{name}\b", other, text)

    now = spot.request()
    return (replace(now, before=renamed(now.before), after=renamed(now.after)), now)


def format_on_save(spot: Spot, choose: random.Random) -> tuple[CompletionRequest, ...] | None:
    """A formatter went over the file: spaces, quotes, line breaks and blank lines."""

    def unformatted(line: str) -> list[str]:
        if not line.strip():
            return [line] if choose.random() < 0.5 else []
        roll = choose.random()
        if roll < 0.1:
            line = line.replace(", ", ",").replace(" = ", "=")
        elif roll < 0.2:
            line = line.replace('"', "'")
        elif roll < 0.25:
            line = line.rstrip("\n") + "  \n"
        return [line]

    above = [piece for line in spot.above for piece in unformatted(line)]
    below = [piece for line in spot.below for piece in unformatted(line)]
    now = spot.request()
    first = replace(now, before="".join(above) + spot.indent, after="\n" + "".join(below))
    return (first, now) if first != now else None


def slide(spot: Spot, choose: random.Random) -> tuple[CompletionRequest, ...] | None:
    """A long way down the file, so that the window had to follow."""
    count = choose.randrange(40, 120)
    if len(spot.above) <= count + 40:
        return None
    above = spot.above[:-count]
    first = CompletionRequest(
        document=spot.request().document,
        before="".join(above).rstrip("\n"),
        after="\n" + "".join(spot.above[-count:]) + spot.indent + "\n" + "".join(spot.below),
    )
    return (first, spot.request())


def context_block(spot: Spot, choose: random.Random) -> tuple[CompletionRequest, ...] | None:
    """A block from another file was put above the file, or taken away."""
    others = [path for path in spot.repository.files if path != spot.path]
    if not others:
        return None
    lines = spot.repository.files[choose.choice(others)].splitlines(keepends=True)[:20]
    if len(lines) < 5:
        return None
    now, block = spot.request(), "".join("# " + line for line in lines)
    return choose.choice(
        [
            (now, replace(now, before=block + now.before)),
            (replace(now, before=block + now.before), now),
        ]
    )


def history(spot: Spot, _: random.Random) -> tuple[CompletionRequest, ...] | None:
    """The file was one release, and is the next: every change near the line at once."""
    old_text = spot.repository.older.get(spot.path)
    if old_text is None:
        return None
    new = [*spot.above, spot.line, *spot.below]
    old = old_text.splitlines(keepends=True)
    here = len(spot.above)
    blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    block = next((b for b in blocks if b.b <= here < b.b + b.size), None)
    if block is None:
        return None
    there = here - block.b + block.a
    if old[max(0, there - 60) : there] == new[max(0, here - 60) : here]:
        return None
    then = replace(spot, above=tuple(old[:there]), below=tuple(old[there + 1 :]))
    return (then.request(), spot.request())


KINDS: Mapping[str, Draw] = {
    "typing": typing,
    "line": line_typed,
    "accept": accept,
    "move": move,
    "edit-above": edit_above,
    "undo": undo,
    "redo": redo,
    "paste": paste,
    "rename": rename,
    "format": format_on_save,
    "slide": slide,
    "context": context_block,
    "history": history,
}


def draw_cases(
    repositories: Sequence[Repository],
    count: int,
    seed: int,
    useful: Callable[[EditCase], bool],
    kinds: Sequence[str] = tuple(KINDS),
) -> list[EditCase]:
    """`count` cases, the kinds and the repositories taking turns; fewer where none can be found.
    The same seed gives the same cases, each kind those that it has among all.
    """
    cases: list[EditCase] = []
    numbered = ((turn, *one) for turn in range(count) for one in enumerate(KINDS))
    chosen = (one for one in numbered if one[-1] in kinds)
    for turn, place, kind in islice(chosen, count if repositories else 0):
        choose = random.Random(f"{seed}/{turn * len(KINDS) + place}")  # noqa: S311 - draws cases
        for attempt in range(TRIES):
            repository = repositories[(turn + attempt) % len(repositories)]
            spot = draw_spot(repository, choose)
            drawn = KINDS[kind](spot, choose) if spot else None
            if spot and drawn and len(set(drawn)) > 1:
                typed = drawn[-1].before.rpartition("\n")[2]
                truth = spot.line.rstrip("\n")[len(typed) :]
                case = EditCase(kind, repository.name, drawn, truth)
                if useful(case):
                    cases.append(case)
                    break
    return cases


def draw_spot(repository: Repository, choose: random.Random) -> Spot | None:
    """A line of code in the second half of some file, or None where the draw is of no use."""
    path = choose.choice(sorted(repository.files))
    lines = repository.files[path].splitlines(keepends=True)
    if len(lines) < 60:
        return None
    place = choose.randrange(len(lines) // 3, len(lines))
    line = lines[place].strip()
    if len(line) < SHORTEST_LINE or line.startswith(("#", '"', "'", "import ", "from ")):
        return None
    return Spot(repository, path, tuple(lines[:place]), lines[place], tuple(lines[place + 1 :]))
