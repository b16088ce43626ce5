"""What kind of place stands at the end of a text, read from its last characters.

Works on broken code, since a place is asked about while its line is being written. This module
knows Python's spelling, and must not know jedi.
"""

import re
from dataclasses import dataclass

# Far longer than any import statement that a person writes.
SEEN = 2000
FROM_IMPORT = re.compile(
    r"(?:^|[\n;:])[ \t]*from[ \t]+(?P<dots>[. \t]*)(?P<module>[\w.]*)[ \t]+import[ \t]*"
    r"(?:\((?:[^()]|\n)*|(?:[\w \t,]|\\\n)*)$"
)
IMPORT = re.compile(r"(?:^|[\n;:])[ \t]*import[ \t]+(?:[\w. \t]+,[ \t]*)*(?P<parent>(?:\w+\.)*)$")
FROM = re.compile(r"(?:^|[\n;:])[ \t]*from[ \t]+(?P<dots>\.*)(?P<parent>(?:\w+\.)*)$")
ALIAS = re.compile(r"\bas[ \t]+$")


@dataclass(frozen=True, slots=True)
class ImportPlace:
    """Names of `module` are imported here (`members`), or its submodules are spelled out.

    `level` counts the dots of a relative import; an empty `module` without them is the top.
    """

    module: tuple[str, ...]
    level: int
    members: bool


def import_place(before: str) -> ImportPlace | None:
    """The import statement that the text ends in, if it does."""
    tail = before[-SEEN:]
    if ALIAS.search(tail):
        return None
    if found := FROM_IMPORT.search(tail):
        return ImportPlace(split(found["module"]), found["dots"].count("."), members=True)
    if found := IMPORT.search(tail):
        return ImportPlace(split(found["parent"]), 0, members=False)
    if found := FROM.search(tail):
        return ImportPlace(split(found["parent"]), len(found["dots"]), members=False)
    return None


def split(dotted: str) -> tuple[str, ...]:
    return tuple(part for part in dotted.split(".") if part)


def names_used_of(receiver: str, text: str) -> set[str]:
    """The attributes that a text uses of something it spells `receiver`, a dotted name."""
    parts = r"\s*\.\s*".join(map(re.escape, receiver.split(".")))
    return set(re.findall(rf"(?<![\w.]){parts}\s*\.\s*([^\W\d]\w*)", text))


def is_narrowed(receiver: str, text: str) -> bool:
    """Whether the text asks at run time what `receiver` is."""
    asking = r"(?:isinstance|issubclass|hasattr|getattr|setattr|cast|type|callable)\s*\("
    target = re.escape(receiver)
    return bool(re.search(rf"\b{asking}[^()\n]*(?<![\w.]){target}(?![\w.(\[])", text)) or bool(
        re.search(rf"^\s*match\s+{target}\s*:", text, re.MULTILINE)
    )


def with_line_feeds(text: str) -> str:
    """Every line end as the one character by which lines are counted here."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
