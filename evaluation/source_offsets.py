"""From the parser's positions, lines and UTF-8 bytes, to offsets of characters in a text."""

from itertools import accumulate


class SourceOffsets:
    """Offsets in one text with `\\n` line ends; lines count from 1 on, as the parser's do."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._starts = [0, *accumulate(len(line) + 1 for line in self._lines)]

    def at(self, line: int, column: int) -> int:
        """The offset of a column that is given in bytes."""
        before = self._lines[line - 1].encode()[:column]
        return self._starts[line - 1] + len(before.decode())

    def line_end(self, line: int) -> int:
        """The offset of the line end, or of the end of the text."""
        return self._starts[line - 1] + len(self._lines[line - 1])
