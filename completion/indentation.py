"""Indentation as the file has it: found once, and applied to what the model wrote."""

import re
from itertools import pairwise

LEADING = re.compile(r"^[ \t]*", re.MULTILINE)
DEFAULT_INDENTATION = "    "
WIDTHS = (2, 3, 4, 8)


def detect_indentation(text: str, default: str = DEFAULT_INDENTATION) -> str:
    """One level of indentation in `text`: a tab, or so many spaces; `default` where none shows.

    Tabs win where more lines start with one. For spaces, the width is the smallest step between
    a line and a deeper one that follows it.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    indents = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines]
    tabs = sum(indent.startswith("\t") for indent in indents)
    spaces = sum(indent.startswith(" ") for indent in indents)
    if tabs > spaces:
        return "\t"
    steps = [
        len(deeper) - len(indent)
        for indent, deeper in pairwise(indents)
        if len(deeper) > len(indent) and "\t" not in deeper
    ]
    widths = [width for width in WIDTHS if width in steps]
    return " " * max(widths, key=steps.count) if widths else default


def indentation_width(line: str, tab_width: int = 4) -> int:
    """How deep a line stands, in columns."""
    return len(line[: len(line) - len(line.lstrip(" \t"))].expandtabs(tab_width))


def reindent(text: str, indentation: str) -> str:
    """Rewrite the leading whitespace of every line but the first in the file's own style."""
    first, newline, rest = text.partition("\n")
    if not newline:
        return text
    width = 4 if indentation == "\t" else len(indentation)

    def rewrite(match: re.Match[str]) -> str:
        columns = len(match[0].expandtabs(width))
        if indentation == "\t":
            return "\t" * (columns // width) + " " * (columns % width)
        return " " * columns

    return first + newline + LEADING.sub(rewrite, rest)
