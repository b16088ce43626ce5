"""Brackets in source text, told apart from those in strings and comments.

Works on text that need not parse and in any language with brackets and quotes: it knows strings
and line comments, no grammar. It knows nothing of models or of where the text came from.
"""

import re
from dataclasses import dataclass

from completion.indentation import indent_of

OPENERS, CLOSERS = "([{", ")]}"
OPENER_OF = dict(zip(CLOSERS, OPENERS, strict=True))
MASK = "\0"
TRIPLE_QUOTES = ('"""', "'''")

# A triple-quoted string may run on to the end of the text and a double-quoted one to the end of
# its line, since text around a cursor is cut anywhere. A lone apostrophe is no string: comments in
# plain English are full of them. `//` divides in Python, so it is a comment at a line's start only.
NOISE = re.compile(
    r"""
      (?P<quotes>\"{3}|'{3})(?:\\.|(?!(?P=quotes)).)*+(?P<end>(?P=quotes)|\Z)
    | "(?:\\[^\n]|[^"\\\n])*+(?:"|\\?$)
    | '(?:\\[^\n]|[^'\\\n])*'
    | `[^`\n]*`
    | (?<!\S)\#[^\n]*
    | (?:(?<=\n)|\A)[ \t]*//[^\n]*
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Masked:
    """Text of the same length whose strings and comments are blotted out.

    `inside` numbers the lines that begin inside a string; `open_quotes` are those of a
    triple-quoted string that the text does not end.
    """

    text: str
    inside: frozenset[int]
    open_quotes: str


@dataclass(frozen=True, slots=True)
class Bracket:
    """One bracket: its character, its place, and how far its line is indented.

    `leads` says that nothing but white space stands before it on its line.
    """

    character: str
    position: int
    column: int
    leads: bool


@dataclass(frozen=True, slots=True)
class Balance:
    """The brackets of a text that find no partner in it, each in text order."""

    openers: tuple[Bracket, ...]
    closers: tuple[Bracket, ...]


def mask(text: str, open_quotes: str = "") -> Masked:
    """Blot out strings and comments of `text`, which begins inside a string of `open_quotes`."""
    pieces: list[str] = []
    inside: set[int] = set()
    open_at_end = ""
    line = done = 0
    quoted = open_quotes + text
    for match in NOISE.finditer(quoted):
        line += quoted.count("\n", done, match.start())
        covered = match[0].count("\n")
        inside.update(range(line + 1, line + covered + 1))
        line += covered
        blotted = re.sub(r"[^\n]", MASK, match[0].lstrip(" \t"))
        pieces += quoted[done : match.start()], blotted.rjust(len(match[0]))
        done = match.end()
        if match["quotes"] and not match["end"]:
            open_at_end = match["quotes"]
    return Masked(
        ("".join(pieces) + quoted[done:])[len(open_quotes) :], frozenset(inside), open_at_end
    )


def balance(masked: str) -> Balance:
    """Which brackets of a masked text are left without a partner.

    A closing bracket of the wrong kind takes the nearest opening one of its own kind and drops
    those in between, so that one slip does not upset all that follows.
    """
    openers: list[Bracket] = []
    closers: list[Bracket] = []
    for match in re.finditer(r"[(\[{)\]}]", masked):
        start = masked.rfind("\n", 0, match.start()) + 1
        line = masked[start : match.start()]
        indent = indent_of(line)
        bracket = Bracket(match[0], match.start(), len(indent.expandtabs(4)), indent == line)
        if match[0] in OPENERS:
            openers.append(bracket)
            continue
        partner = next(
            (i for i in reversed(range(len(openers))) if pairs(openers[i], bracket)), None
        )
        if partner is None:
            closers.append(bracket)
        else:
            del openers[partner:]
    return Balance(tuple(openers), tuple(closers))


def pairs(opener: Bracket, closer: Bracket) -> bool:
    return OPENER_OF[closer.character] == opener.character


def quotes_at(before: str, after: str) -> str:
    """The quotes of the triple-quoted string that the cursor stands in, if the file closes it.

    Where the quotes of the whole file do not pair up, the string has just been begun, and what
    follows the cursor is code.
    """
    return "" if mask(before + after).open_quotes else mask(before).open_quotes


def closers_wanted(before: str, after: str) -> int:
    """How many brackets that are open at the cursor the text after it does not close.

    A closing bracket at the start of its line belongs to a line of the same indentation; that
    tells the brace that ends an outer block from the one that is missing here.
    """
    whole = mask(before + after)
    split = not whole.open_quotes  # else the cursor is in a string just begun: see `quotes_at`
    head = whole.text[: len(before)] if split else mask(before).text
    rest = whole.text[len(before) :] if split else mask(after).text
    openers = list(balance(head).openers)
    wanted = 0
    line_end = after.find("\n")
    for closer in balance(rest).closers:
        leads = closer.leads and 0 <= line_end < closer.position
        match = next(
            (
                i
                for i in reversed(range(len(openers)))
                if pairs(openers[i], closer) and (not leads or openers[i].column == closer.column)
            ),
            None,
        )
        if match is not None:
            wanted += len(openers) - match - 1
            del openers[match:]
    return wanted + len(openers)


def depth_after(masked: str, depth: int = 0) -> int:
    """How many brackets are open after a masked piece of text that begins with `depth` open."""
    for character in masked:
        if character in OPENERS:
            depth += 1
        elif character in CLOSERS:
            depth = max(0, depth - 1)
    return depth
