"""What somebody is about to write, where they have said so: in a comment or docstring right above.

Told from the lines above a cursor alone, in any language whose comments begin with `#` or `//`.
"""

import re
from collections.abc import Iterator

MOST_LINES = 12  # above the cursor's, that are looked at
LONGEST_LINE = 500
COMMENT = re.compile(r"\s*(?:#|//+|\*+(?!/)|/\*+)\s?(?P<said>.*?)(?:\*/)?\s*\Z")
QUOTES = ('"""', "'''")
HEADER = re.compile(r"\s*(?:async\s+)?(?:def|class|func|function)\s+(?P<name>\w+)")


def wish_above(before: str) -> str:
    """What is said right above the cursor's line, and the name of what is begun above that.

    Empty where nothing is said: a name alone is no wish.
    """
    lines = [line[:LONGEST_LINE] for line in before.rsplit("\n", MOST_LINES)[-MOST_LINES:-1]]
    said, rest = split_said(lines)
    if not said:
        return ""
    header = HEADER.match(rest[-1]) if rest else None
    name = header["name"].replace("_", " ") if header else ""
    return " ".join(filter(None, [name, *said]))


def split_said(lines: list[str]) -> tuple[list[str], list[str]]:
    """What the comments or the docstring at the end of some lines say, line by line, and the lines
    above."""
    if lines and (quote := quote_that_ends(lines[-1])):
        return docstring_at_end(lines, quote)
    said = list(reversed(list(comments_upwards(lines))))
    return said, lines[: len(lines) - len(said)]


def comments_upwards(lines: list[str]) -> Iterator[str]:
    for line in reversed(lines):
        found = COMMENT.match(line)
        if found is None:
            return
        yield found["said"].strip()


def quote_that_ends(line: str) -> str:
    """The quotes that a line ends in, if they are those of docstrings."""
    return next((quote for quote in QUOTES if line.rstrip().endswith(quote)), "")


def docstring_at_end(lines: list[str], quote: str) -> tuple[list[str], list[str]]:
    text = lines[-1].strip()
    if text.count(quote) == 2:
        return [text.strip(quote).strip()], lines[:-1]
    for number in range(len(lines) - 2, -1, -1):
        if quote in lines[number]:
            said = [line.strip().strip(quote).strip() for line in lines[number:]]
            return list(filter(None, said)), lines[:number]
    return [], lines
