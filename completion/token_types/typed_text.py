"""The types of all tokens before a cursor, kept up to date as the text changes.

Lines above the first that has changed are not read again. Those below are resolved anew, since what
their names mean may have changed, but each is cut into tokens once for as long as it is remembered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, takewhile

from completion.token_types.lexer import NOTHING_OPEN, Lexed, Open, lex_line
from completion.token_types.roles import NO_STATEMENT, Statement, Understood, understand
from completion.token_types.scopes import Scopes
from completion.token_types.types import TokenType

EDGE = 16  # lines by which the first of the recent ones moves on
KEPT = 8_192  # lines that are not read again where they are met again, some 2 KB each
LONGEST_KEPT = 200  # characters of such a line
STEP = 512  # lines from one kept state of the scopes to the next


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
class TypedEnd:
    """The tokens of some last lines, as far as they are written; whether they end in a string,
    which is none of the tokens, how many characters the last line has, and the scopes there."""

    tokens: tuple[TypedToken, ...]
    in_string: bool
    column: int
    scopes: Scopes

    @property
    def last_goes_on(self) -> bool:
        """Whether the last token touches the end, so that more may be part of it."""
        return bool(self.tokens) and self.tokens[-1].end == self.column

    @property
    def in_text(self) -> bool:
        """Whether what comes next is no code, but part of a string or a comment."""
        return self.in_string or (bool(self.tokens) and self.tokens[-1].type == TokenType.COMMENT)


@dataclass(frozen=True, slots=True)
class TypedPrefix:
    """All before a cursor: whole lines, and the last one with the state that it begins in."""

    lines: tuple[TypedLine, ...]
    last: str
    start: LineStart
    scopes: Scopes

    def recent(self, count: int) -> list[TypedToken]:
        """So many tokens of the last whole lines, where there are so many, or up to twice that.

        Mostly they begin at the same line for as long as the cursor stays within some lines of its
        own, so that who reads them seldom has to begin anew.
        """
        first, found = len(self.lines), 0
        while first and found < count:
            first -= 1
            found += len(self.lines[first].tokens)
        first = max(first - EDGE, first // EDGE * EDGE)
        return [token for line in self.lines[first:] for token in line.tokens][-2 * count :]

    def with_text(self, text: str) -> TypedEnd:
        """What is written after the cursor, read from the beginning of the cursor's line."""
        scopes, start = self.scopes.copy(), self.start
        found: list[tuple[TypedToken, ...]] = []
        *whole, last = (self.last + text).split("\n")
        for line in whole:
            typed, start = read_line(line, start, scopes, ended=True)
            found.append(typed.tokens)
        typed, after = read_line(last, start, scopes, ended=False)
        tokens = tuple(chain(*found, typed.tokens))
        return TypedEnd(tokens, bool(after.open.string), len(last), scopes)


@lru_cache(maxsize=KEPT)
def read_tokens(text: str, start: LineStart, *, ended: bool) -> tuple[Lexed, Understood]:
    """What a line tells by itself."""
    lexed = lex_line(text, start.open, ended=ended)
    statement = NO_STATEMENT if lexed.is_anew else start.statement
    return lexed, understand(text, lexed.tokens, statement)


def read_line(
    text: str, start: LineStart, scopes: Scopes, *, ended: bool
) -> tuple[TypedLine, LineStart]:
    """A line from what is open at its start, and the start of the next; `scopes` move on."""
    read = read_tokens if ended and len(text) <= LONGEST_KEPT else read_tokens.__wrapped__
    lexed, understood = read(text, start, ended=ended)
    types = scopes.read(understood.parts)
    tokens = tuple(
        TypedToken(kind, part.text, part.token.start, part.token.end)
        for part, kind in zip(understood.parts, types, strict=True)
    )
    return TypedLine(text, start, tokens), LineStart(lexed.open, understood.statement)
