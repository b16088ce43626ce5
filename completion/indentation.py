"""Indentation as the file has it: found once, and applied to what the model wrote."""

import re
from itertools import pairwise

LEADING = re.compile(r"^[ \t]*", re.MULTILINE)
DEFAULT_INDENTATION = "    "
WIDTHS = (2, 3, 4, 8)
BLOCK_ENDS = (":", "{", "(", "[", ">")
OPENING = (":", "{", "(", "[")  # after which editors go deeper
LEAVING = re.compile(r"\s*(return|raise|pass|break|continue)\b")  # after which they do not stay


def detect_indentation(text: str, default: str = DEFAULT_INDENTATION) -> str:
    """One level of indentation in `text`: a tab, or so many spaces; `default` where none shows.

    Tabs win where more lines start with one. For spaces, the width is the commonest step from a
    line to a deeper one that follows it. Steps after the beginning of a block count; only where
    there is none do others, which may as well align arguments.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    indents = [indent_of(line) for line in lines]
    tabs = sum(indent.startswith("\t") for indent in indents)
    spaces = sum(indent.startswith(" ") for indent in indents)
    if tabs > spaces:
        return "\t"
    steps = [
        (line.rstrip().endswith(BLOCK_ENDS), len(deeper) - len(indent))
        for line, (indent, deeper) in zip(lines, pairwise(indents), strict=False)
        if len(deeper) > len(indent) and "\t" not in deeper
    ]
    sure = [step for opens, step in steps if opens and step in WIDTHS]
    widths = sure or [step for _, step in steps if step in WIDTHS]
    return " " * max(WIDTHS, key=widths.count) if widths else default


def indent_of(line: str) -> str:
    """The blanks that a line begins with."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def indentation_width(line: str, tab_width: int = 4) -> int:
    """How deep a line stands, in columns."""
    return len(indent_of(line).expandtabs(tab_width))


def begun_line(line: str, indentation: str) -> str:
    """What an editor writes for the key that ends a line with content: a line end, and the next
    line's indentation, by the rules that editors have in common."""
    own = indent_of(line)
    if line.rstrip().endswith(OPENING):
        own += indentation
    elif LEAVING.match(line):
        own = own.removesuffix(indentation)
    return f"\n{own}"


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
