"""The text of one open document, kept in step with the editor by incremental changes.

A plain string and the index of each line's start; a change splices both. Nothing but `\\n`,
`\\r\\n` and `\\r` ends a line: a form feed or U+2028 is a character like any other.
"""

from bisect import bisect_right

from lsprotocol.types import Position, PositionEncodingKind, Range

from lsp_server.positions import LINE_END, column_of_index, index_of_column, well_formed


class TextBuffer:
    """A document's text, addressed by positions in one encoding."""

    def __init__(
        self, text: str, encoding: PositionEncodingKind | str = PositionEncodingKind.Utf16
    ) -> None:
        self._encoding = encoding
        self._text = text = well_formed(text)
        self._starts = [0, *(end.end() for end in LINE_END.finditer(text))]

    @property
    def encoding(self) -> PositionEncodingKind | str:
        return self._encoding

    @property
    def text(self) -> str:
        return self._text

    @property
    def line_count(self) -> int:
        """At least one; a text that ends in a line end has an empty last line."""
        return len(self._starts)

    def line(self, number: int) -> str:
        """Line `number`, counted from 0, without its line end."""
        start = self._starts[number]
        end = self._starts[number + 1] if number + 1 < len(self._starts) else len(self._text)
        return self._text[start:end].rstrip("\r\n")

    def index(self, position: Position) -> int:
        """Index into the text; a position outside the text is moved to its nearest place."""
        if position.line < 0:
            return 0
        if position.line >= self.line_count:
            return len(self._text)
        line = self.line(position.line)
        return self._starts[position.line] + index_of_column(
            line, position.character, self._encoding
        )

    def position(self, index: int) -> Position:
        """The position of a character index of the text."""
        number = bisect_right(self._starts, index) - 1
        column = column_of_index(self.line(number), index - self._starts[number], self._encoding)
        return Position(number, column)

    def replace(self, changed: Range, text: str) -> None:
        """Put `text` in the place of a range."""
        text = well_formed(text)
        start, end = sorted((self.index(changed.start), self.index(changed.end)))
        self._text = self._text[:start] + text + self._text[end:]
        # A line end may be joined or split at either edge of the change, as when `\n` comes
        # to stand after `\r`: lines are found again from the line before the change to the end
        # of the line it ends in.
        first = max(0, bisect_right(self._starts, start) - 2)
        last = bisect_right(self._starts, end)
        shift = len(text) - (end - start)
        scan_from = self._starts[first]
        scan_to = self._starts[last] + shift if last < len(self._starts) else len(self._text)
        found = [end.end() for end in LINE_END.finditer(self._text, scan_from, scan_to)]
        later = [start + shift for start in self._starts[last + 1 :]]
        if last < len(self._starts) and (not found or found[-1] != scan_to):
            found.append(scan_to)
        self._starts = [*self._starts[: first + 1], *found, *later]
