"""The types of all tokens before a cursor, kept up to date as the text changes.

Lines above the first that has changed are not read again. Those below are resolved anew, since what
their names mean may have changed, but each is cut into tokens once for as long as it is remembered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, takewhile

from completion.token_types.lexer import NOTHING_OPEN, Open, lex_line
from completion.token_types.roles import NO_STATEMENT, Statement, understand
from completion.token_types.scopes import Declared, Scopes
from completion.token_types.types import TokenType

STEP = 64  # lines from one kept state of the scopes to the next


@dataclass(frozen=True, slots=True)
class TypedToken:
    """A token's type and text, and its columns on the line that it ends on; a string from a line
    above begins before column 0."""

    type: TokenType
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class LineStart:
    """What the lines above a line leave open: for its tokens, and for its statement."""

    open: Open = NOTHING_OPEN
    statement: Statement = NO_STATEMENT


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A line without its end, where it goes on from, and its tokens."""

    text: str
    start: LineStart
    tokens: tuple[TypedToken, ...]


class TypedText:
    """The typed lines of one document, as far as its cursor."""

    def __init__(self) -> None:
        self._lines: list[TypedLine] = []  # whole ones
        self._scopes: list[Scopes] = [Scopes()]  # at each `STEP` lines
        self._end = LineStart(), Scopes()

    def follow(self, before: str) -> "TypedPrefix":
        """The text before a cursor, whatever it was before."""
        *lines, last = before.split("\n")
        known = self._common(lines)
        if known < len(self._lines) or len(lines) > known:
            self._go_on(lines, known)
        start, scopes = self._end
        return TypedPrefix(tuple(self._lines), last, start, scopes)

    def _common(self, lines: Sequence[str]) -> int:
        pairs = zip(lines, self._lines, strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1].text, pairs))

    def _go_on(self, lines: Sequence[str], known: int) -> None:
        """Read all lines after so many `known` ones."""
        steps = min(known // STEP, len(self._scopes) - 1)
        first = steps * STEP
        scopes = self._scopes[steps].copy()
        del self._scopes[steps + 1 :]
        start = self._lines[first].start if first < len(self._lines) else self._end[0]
        del self._lines[first:]
        for number, text in enumerate(lines[first:], first):
            if number == len(self._scopes) * STEP:
                self._scopes.append(scopes.copy())
            line, start = read_line(text, start, scopes, ended=True)
            self._lines.append(line)
        self._end = start, scopes


@dataclass(frozen=True, slots=True)
class TypedPrefix:
    """All before a cursor: whole lines, and the last one with the state that it begins in."""

    lines: tuple[TypedLine, ...]
    last: str
    start: LineStart
    scopes: Scopes

    def with_text(self, text: str) -> tuple[tuple[TypedToken, ...], Declared]:
        """The tokens from the last line's beginning to the end of what is written after the
        cursor, and what is declared there. The last token may go on."""
        scopes, start = self.scopes.copy(), self.start
        found: list[tuple[TypedToken, ...]] = []
        *whole, last = (self.last + text).split("\n")
        for line in whole:
            typed, start = read_line(line, start, scopes, ended=True)
            found.append(typed.tokens)
        typed, _ = read_line(last, start, scopes, ended=False)
        return tuple(chain(*found, typed.tokens)), scopes.declared()


def read_line(
    text: str, start: LineStart, scopes: Scopes, *, ended: bool
) -> tuple[TypedLine, LineStart]:
    """A line from what is open at its start, and the start of the next; `scopes` move on."""
    lexed = lex_line(text, start.open, ended=ended)
    understood = understand(text, lexed.tokens, start.statement)
    types = scopes.read(understood.parts)
    tokens = tuple(
        TypedToken(kind, part.text, part.token.start, part.token.end)
        for part, kind in zip(understood.parts, types, strict=True)
    )
    return TypedLine(text, start, tokens), LineStart(lexed.open, understood.statement)
