"""Positions of the protocol against indices of Python strings.

The protocol counts columns in code units of the encoding agreed with the client (UTF-8, UTF-16
or UTF-32) and knows three line ends: `\\n`, `\\r\\n` and `\\r`. A column past the end of its
line means the line's end (LSP 3.17, Position); one inside a character means the character's start.
"""

import re

from lsprotocol.types import PositionEncodingKind

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
LINE_END = re.compile(r"\r\n|\n|\r")


def well_formed(text: str) -> str:
    """A text that every part of the server can encode; JSON may hold halves of characters.

    Positions stay as they are: what stands in for one has as many units, in every encoding.
    """
    return LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def units_of(character: str, encoding: PositionEncodingKind | str) -> int:
    """How many code units one character takes."""
    code = ord(character)
    if encoding == PositionEncodingKind.Utf8:
        return 1 + (code > 0x7F) + (code > 0x7FF) + (code > 0xFFFF)
    if encoding == PositionEncodingKind.Utf16:
        return 1 + (code > 0xFFFF)
    return 1


def index_of_column(line: str, column: int, encoding: PositionEncodingKind | str) -> int:
    """Characters of `line` (without its line end) before `column` code units."""
    if line.isascii() or encoding == PositionEncodingKind.Utf32:
        return min(max(column, 0), len(line))
    units = 0
    for index, character in enumerate(line):
        units += units_of(character, encoding)
        if units > column:
            return index
    return len(line)


def column_of_index(line: str, index: int, encoding: PositionEncodingKind | str) -> int:
    """Code units of the first `index` characters of `line`."""
    head = line[:index]
    if head.isascii() or encoding == PositionEncodingKind.Utf32:
        return len(head)
    return sum(units_of(character, encoding) for character in head)
