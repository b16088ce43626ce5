"""Tokens of Python, line by line, in text that need not parse.

Each line is read by itself, from what the lines above leave open, so that an edit costs the lines
whose text or beginning it changes. Of text that parses the types are those of Python's module
`tokenize`. Elsewhere, an unclosed string ends with its line, and an unclosed bracket before a
statement that brackets cannot hold.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from completion.token_types.types import CLOSERS, KEYWORDS, OPENERS, OPERATORS, TokenType

TAB = 8  # columns, as Python counts them
DIGITS = r"[0-9](?:_?[0-9])*"
NUMBER = (
    r"0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+"
    rf"|(?:{DIGITS}\.?(?:{DIGITS})?|\.{DIGITS})(?:[eE][-+]?{DIGITS})?[jJ]?"
)
QUOTE = r"(?:[bB][rR]?|[rR][bBfF]?|[uU]|[fF][rR]?)?(?P<quote>'''|\"\"\"|'|\")"
SIGNS = "|".join(re.escape(sign) for sign in sorted(OPERATORS, key=len, reverse=True))
TOKEN = re.compile(
    rf"[ \f\t]*(?:(?P<comment>\#.*)|{QUOTE}|(?P<number>{NUMBER})|(?P<name>\w+)"
    rf"|(?P<continued>\\$)|(?P<sign>{SIGNS})|(?P<other>[^\n \f\t]))"
)
REST_OF_STRING = {
    quote: re.compile(rf"(?:[^\\{quote[0]}]|\\.|{quote[0]}(?!{quote[1:]}))*{quote}")
    if len(quote) == 3
    else re.compile(rf"(?:[^\\{quote}]|\\.)*{quote}")
    for quote in ("'''", '"""', "'", '"')
}
# A line that begins with one of these is in no bracket, whatever is open above.
OUT_OF_BRACKETS = frozenset(
    {
        *("assert", "break", "class", "continue", "def", "del", "except", "finally", "global"),
        *("import", "nonlocal", "pass", "raise", "return", "try", "while", "with"),
    }
)


@dataclass(frozen=True, slots=True)
class Token:
    """Columns of the line that it ends on; a string from a line above begins before 0."""

    type: TokenType
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Open:
    """What the lines above leave open: columns of blocks, brackets, a string, a backslash.

    `string` is the quote that ends a string; `comes_from` says how many characters before the line
    it began.
    """

    indents: tuple[int, ...] = (0,)
    brackets: int = 0
    string: str = ""
    comes_from: int = 0
    continued: bool = False


@dataclass(frozen=True, slots=True)
class Lexed:
    """A line's tokens, what is open after it, and whether it leaves brackets open above."""

    tokens: tuple[Token, ...]
    open: Open
    is_anew: bool = False


NOTHING_OPEN = Open()


def lex_line(line: str, before: Open, *, ended: bool) -> Lexed:
    """The tokens of a line without its end; of the last one, which may go on, `ended` is false."""
    tokens: list[Token] = []
    place, now, is_anew = 0, before, False
    if before.string:
        end = end_of_string(line, 0, before.string)
        if end is None:
            if len(before.string) == 3 or line.endswith("\\") or not ended:
                further = before.comes_from + len(line) + 1
                return Lexed((), replace(before, comes_from=further))
            end = len(line)
        tokens.append(Token(TokenType.STRING, -before.comes_from, end))
        place, now = end, replace(now, string="", comes_from=0)
    elif not before.continued:
        if before.brackets and first_word(line) in OUT_OF_BRACKETS:
            now, is_anew = replace(now, brackets=0), True
        if not now.brackets:
            if is_blank(line):
                return Lexed(tuple(end_of_blank(line, ended=ended)), now)
            indents, layout = indented(line, now.indents)
            tokens += layout
            now = replace(now, indents=indents)
    now = replace(now, continued=False)
    while (found := TOKEN.match(line, place)) is not None:
        place = found.end()
        kind = found.lastgroup
        assert kind is not None
        start = found.start(kind)
        if kind == "continued":
            return Lexed(tuple(tokens), replace(now, continued=True), is_anew)
        if kind == "quote":
            start = found.end() - len(found[0].lstrip(" \f\t"))
            end = end_of_string(line, place, found["quote"])
            if end is None and (len(found["quote"]) == 3 or line.endswith("\\") or not ended):
                begun = replace(now, string=found["quote"], comes_from=len(line) + 1 - start)
                return Lexed(tuple(tokens), begun, is_anew)
            place = len(line) if end is None else end
        token = Token(type_of(kind, found[kind]), start, place)
        tokens.append(token)
        if token.type in OPENERS:
            now = replace(now, brackets=now.brackets + 1)
        elif token.type in CLOSERS and now.brackets:
            now = replace(now, brackets=now.brackets - 1)
    if ended:
        end_type = TokenType.NL if now.brackets else TokenType.NEWLINE
        tokens.append(Token(end_type, len(line), len(line) + 1))
    return Lexed(tuple(tokens), now, is_anew)


def type_of(kind: str, text: str) -> TokenType:
    match kind:
        case "name":
            return TokenType.KEYWORD if text in KEYWORDS else TokenType.NAME
        case "sign":
            return OPERATORS[text]
        case "comment":
            return TokenType.COMMENT
        case "number":
            return TokenType.NUMBER
        case "quote":
            return TokenType.STRING
        case _:
            return TokenType.ERRORTOKEN


def end_of_string(line: str, start: int, quote: str) -> int | None:
    """Where a string ends whose text goes on from `start`; None where it does not on this line."""
    found = REST_OF_STRING[quote].match(line, start)
    return None if found is None else found.end()


def first_word(line: str) -> str:
    found = re.match(r"[ \f\t]*(\w+)", line)
    return found[1] if found else ""


def is_blank(line: str) -> bool:
    """Whether there is nothing on a line, or a comment alone."""
    return line.strip()[:1] in ("", "#")


def end_of_blank(line: str, *, ended: bool) -> Iterator[Token]:
    if comment := line.lstrip():
        yield Token(TokenType.COMMENT, len(line) - len(comment), len(line))
    if ended:
        yield Token(TokenType.NL, len(line), len(line) + 1)


def indented(line: str, indents: tuple[int, ...]) -> tuple[tuple[int, ...], list[Token]]:
    """The columns of the blocks that a line stands in, and the tokens that lead there."""
    column = place = 0
    for place, sign in enumerate(line):  # noqa: B007
        if sign == " ":
            column += 1
        elif sign == "\t":
            column = (column // TAB + 1) * TAB
        elif sign == "\f":
            column = 0
        else:
            break
    if column > indents[-1]:
        return (*indents, column), [Token(TokenType.INDENT, 0, place)]
    kept = tuple(one for one in indents if one <= column)
    return kept, [Token(TokenType.DEDENT, place, place)] * (len(indents) - len(kept))
