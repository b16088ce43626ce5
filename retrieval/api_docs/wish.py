"""What somebody is about to write, where they have said so: in a comment or docstring right above.

Told from the lines above a cursor alone, in any language whose comments begin with `#` or `//`.
"""

import re
from collections.abc import Iterator

QUOTES = ('"""', "'''")
MOST_LINES = 40  # above the cursor's, in which a docstring begins
MOST_SAID = 12  # lines of it, from its beginning
MOST_HEADER = 20  # lines that what is begun may take
LONGEST_LINE = 500
COMMENT = re.compile(r"\s*(?:#|//+|\*+(?=\s|/)|/\*+)\s?(?P<said>.*?)(?:\*/)?\s*\Z")
# What is written for tools, or to be looked at.
NOISE = re.compile(
    r"\W*\Z|!|type:|noqa|pragma|-\*-|coding[:=]|pylint:|mypy:|ruff:|fmt:", re.IGNORECASE
)
DOCSTRING = re.compile(r"\s*[rRuUbB]{0,2}(?P<quotes>\"\"\"|''')")
HEADER = re.compile(r"\s*(?:async\s+)?(?:def|class|func|function)\s+(?P<name>\w+)")


def wish_above(before: str) -> str:
    """What is said right above the cursor's line, and the name of what is begun above that.

    Empty where nothing is said: a name alone is no wish.
    """
    above = before.rsplit("\n", MOST_LINES + 1)[-MOST_LINES - 1 : -1]
    said, rest = split_said([line[:LONGEST_LINE] for line in above])
    said = [line for line in said[:MOST_SAID] if line and not NOISE.match(line)]
    if not said:
        return ""
    return " ".join(filter(None, [name_begun(rest).replace("_", " "), *said]))


def name_begun(lines: list[str]) -> str:
    """The name of the function or class whose header some lines end with, brackets of it on several
    lines perhaps."""
    opened = 0
    for line in reversed(lines[-MOST_HEADER:]):
        code = line.rstrip().removesuffix("{")  # which opens what is begun
        opened += sum(map(code.count, "([{")) - sum(map(code.count, ")]}"))
        if (header := HEADER.match(line)) is not None:
            return header["name"]
        if opened >= 0:
            break
    return ""


def split_said(lines: list[str]) -> tuple[list[str], list[str]]:
    """What the comments or the docstring at the end of some lines say, line by line, and the lines
    above."""
    if lines and (quotes := quotes_that_end(lines[-1])):
        return docstring_at_end(lines, quotes)
    said = list(reversed(list(comments_upwards(lines))))
    return said, lines[: len(lines) - len(said)]


def comments_upwards(lines: list[str]) -> Iterator[str]:
    for line in reversed(lines):
        found = COMMENT.match(line)
        if found is None:
            return
        yield found["said"].strip()


def quotes_that_end(line: str) -> str:
    """The quotes that a line ends in, if they are those of docstrings."""
    return next((quotes for quotes in QUOTES if line.rstrip().endswith(quotes)), "")


def docstring_at_end(lines: list[str], quotes: str) -> tuple[list[str], list[str]]:
    """Nothing where the text at the end is another's value."""
    for number in range(len(lines) - 1, -1, -1):
        is_whole = number < len(lines) - 1 or lines[number].count(quotes) > 1
        if quotes in lines[number] and is_whole:
            begins = DOCSTRING.match(lines[number])
            if begins is None or begins["quotes"] != quotes:
                return [], lines
            text = "\n".join([lines[number][begins.end() :], *lines[number + 1 :]])
            said = text.rstrip().removesuffix(quotes).split("\n")
            return [line.strip() for line in said], lines[:number]
    return [], lines
