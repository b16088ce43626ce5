"""Where text is taken out of a document for a model to fill in again.

Holes are as completion meets them: the rest of a line, a part of one, the block that a line opens,
lines that belong together, with the indentation of the first or without; and some begin and end
anywhere (random spans as in Bavarian et al.
2022, "Efficient Training of Language Models to Fill in the Middle", section 3).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

PROSE_KEPT = 0.3  # of the lines of comments and documentation
LONGEST_BLOCK = 16  # lines
LONGEST_SPAN = 600  # characters
MEAN_SPAN = 90
ENDS = frozenset(")]}\"',:")  # what an editor has often put after the cursor already
WITH_LINE_END = 0.25  # of holes at a line's end: the line end is to be written too
AT_MARGIN = 0.2  # of holes from where a line begins: its indentation is to be written too
TRIES = 20


@dataclass(frozen=True, slots=True)
class Hole:
    """The text from `cursor` to `end` is out; `begun` if what is written may begin above it,
    `is_last` if what follows is out as well."""

    kind: str
    cursor: int
    end: int
    begun: bool = True
    is_last: bool = False


class Lines:
    """The lines of a text by number: where each begins, its indentation, its content."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.rows = text.split("\n")
        self.starts = [0]
        self._quotes = [0]
        for row in self.rows:
            self.starts.append(self.starts[-1] + len(row) + 1)
            self._quotes.append(self._quotes[-1] + row.count('"""') + row.count("'''"))

    def content(self, number: int) -> str:
        return self.rows[number].strip()

    def indentation(self, number: int) -> int:
        return len(self.rows[number]) - len(self.rows[number].lstrip())

    def is_prose(self, number: int) -> bool:
        """Whether a line is a comment or stands in a text of several lines."""
        return self.content(number).startswith("#") or self._quotes[number] % 2 == 1

    def content_start(self, number: int) -> int:
        return self.starts[number] + self.indentation(number)

    def end(self, number: int) -> int:
        """Where the content of a line ends."""
        return self.starts[number] + len(self.rows[number].rstrip())


def draw_hole(lines: Lines, rng: random.Random) -> Hole | None:
    """A hole of a random kind; None where none was found."""
    draw = rng.choices([kind for kind, _ in KINDS], [weight for _, weight in KINDS])[0]
    for _ in range(TRIES):
        if (hole := draw(lines, rng)) is not None:
            return hole
    return None


def line_hole(lines: Lines, rng: random.Random) -> Hole | None:
    """The rest of a line, from its content or from a place within it."""
    number = draw_line(lines, rng)
    if number is None:
        return None
    return Hole("line", cursor_in(lines, number, rng), line_end(lines, number, rng))


def part_hole(lines: Lines, rng: random.Random) -> Hole | None:
    """A part of a line, up to something that closes."""
    number = draw_line(lines, rng)
    if number is None:
        return None
    cursor = cursor_in(lines, number, rng)
    ends = [at for at in range(cursor + 1, lines.end(number)) if lines.text[at] in ENDS]
    return Hole("part", cursor, rng.choice(ends)) if ends else None


def block_hole(lines: Lines, rng: random.Random) -> Hole | None:
    """A line and the block it opens, or a run of lines no less deep."""
    number = draw_line(lines, rng)
    if number is None:
        return None
    depth, last, following = lines.indentation(number), number, number + 1
    opens = deeper_than(lines, following, depth)
    most = LONGEST_BLOCK if opens else rng.randint(2, 6)
    while following < len(lines.rows) and following - number < most:
        if lines.content(following):
            if lines.indentation(following) < depth + opens:
                break
            last = following
        following += 1
    if last == number:
        return None
    return Hole("block", cursor_in(lines, number, rng), line_end(lines, last, rng))


def span_hole(lines: Lines, rng: random.Random) -> Hole | None:
    """Any run of characters."""
    length = min(LONGEST_SPAN, 1 + int(rng.expovariate(1 / MEAN_SPAN)))
    start = rng.randrange(max(1, len(lines.text) - length))
    whole = lines.text[start : start + length]
    return Hole("span", start, start + len(whole), begun=False) if whole.strip() else None


def draw_line(lines: Lines, rng: random.Random) -> int | None:
    number = rng.randrange(len(lines.rows))
    content = lines.content(number)
    if len(content) < 2 or (lines.is_prose(number) and rng.random() > PROSE_KEPT):
        return None
    return number


def cursor_in(lines: Lines, number: int, rng: random.Random) -> int:
    """The beginning of a line or of its content, as often as not, or a place within it."""
    start = lines.content_start(number)
    if rng.random() < 0.5:
        return lines.starts[number] if rng.random() < AT_MARGIN else start
    return rng.randrange(start, lines.end(number))


def line_end(lines: Lines, number: int, rng: random.Random) -> int:
    is_last = number + 1 >= len(lines.rows)
    if is_last or rng.random() > WITH_LINE_END:
        return lines.end(number)
    return lines.starts[number + 1]


def deeper_than(lines: Lines, number: int, depth: int) -> bool:
    """Whether the next line with content, from `number` on, stands deeper."""
    while number < len(lines.rows) and not lines.content(number):
        number += 1
    return number < len(lines.rows) and lines.indentation(number) > depth


Draw = Callable[[Lines, random.Random], Hole | None]
KINDS: tuple[tuple[Draw, float], ...] = (
    (line_hole, 0.45),
    (part_hole, 0.15),
    (block_hole, 0.28),
    (span_hole, 0.12),
)
