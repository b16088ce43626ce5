"""What has been written so far, line by line, as the stop rules see it."""

from dataclasses import dataclass

from completion.brackets import depth_after, mask
from completion.indentation import indentation_width


@dataclass(frozen=True, slots=True)
class Written:
    """A line; the first one with what stood before the cursor.

    `start` is where it begins in the written text (below 0 for the first) and `columns` how deep
    it stands. `depth` brackets opened since the cursor's line are open where it begins; `quoted`
    says that it begins inside a string, and `complete` that a line end follows.
    """

    number: int
    start: int
    text: str
    columns: int
    depth: int
    quoted: bool
    complete: bool

    @property
    def first(self) -> int:
        """Where its content begins in the written text."""
        return self.start + len(self.text) - len(self.text.lstrip())

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def keep(self) -> int:
        """How much of the written text to keep to end before this line."""
        return max(0, self.start - 1)


def write_out(
    line_before: str, text: str, *, tab_width: int, open_quotes: str, in_text: bool
) -> list[Written]:
    """The lines of `text` after `line_before`, which begins inside a string of `open_quotes`.

    Where the cursor stands `in_text`, in a string that the file ends below, the lines of that
    string are judged as lines of code are, since all of them are in the same string.
    """
    whole = line_before + text
    masked = mask(whole, open_quotes)
    pieces = whole.split("\n")
    own = 1
    while in_text and own in masked.inside:
        own += 1
    lines: list[Written] = []
    start, depth = -len(line_before), 0
    for number, (piece, code) in enumerate(zip(pieces, masked.text.split("\n"), strict=True)):
        lines.append(
            Written(
                number=number,
                start=start,
                text=piece,
                columns=indentation_width(piece, tab_width),
                depth=depth,
                quoted=number >= own and number in masked.inside,
                complete=number < len(pieces) - 1,
            )
        )
        depth = depth_after(code, depth)
        start += len(piece) + 1
    return lines
