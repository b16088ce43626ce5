"""Where in a line of Python a name stands that static analysis knows the choices for."""

import re
from dataclasses import dataclass
from functools import lru_cache
from keyword import kwlist

from completion.brackets import MASK, mask
from completion.monitors.names import NAME

DOT_AT_END = re.compile(rb"\.[ \t]*(?P<written>[A-Za-z_\x80-\xff][0-9A-Za-z_\x80-\xff]*)?\Z")
IMPORTED = re.compile(
    rb"""(?:^|[;\n])[ \t]*
    (?: import(?=[ \t]|\Z) | from[ \t]+[.\w\x80-\xff]+[ \t]+import(?=[ \t(]|\Z)(?:[ \t]*\()? )
    (?: [ \t\n]*[.\w\x80-\xff]+(?:[ \t]+as[ \t]+[\w\x80-\xff]+)?[ \t]*, )*
    (?P<blanks>[ \t\n]*)
    (?P<written>[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\Z""",
    re.VERBOSE,
)
FROM = re.compile(
    rb"(?:^|[;\n])[ \t]*from(?P<blanks>[ \t]*)(?P<written>[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\Z"
)
# Perhaps the first of several targets, or one of them.
MADE = re.compile(rb"(?:^|[\n;:])[ \t(\[*]*(?:[\w.]+[ \t]*,[ \t(\[*]*)*(?:self|cls)\.\Z")
MADE_BY_STATEMENT = re.compile(rb"\b(?:for|as)[ \t(\[*]+(?:[\w.]+[ \t]*,[ \t(\[*]*)*[\w.]+\.\Z")
STORED = re.compile(rb"[ \t]*(?:\\\n[ \t]*)?=(?!=)")  # `+=` reads what it changes
PERHAPS_STORED = re.compile(rb"[ \t]*(?:\\\n[ \t]*)?(?:=(?!=)|[:,)\]])")
INNER_DOT = re.compile(rb"\.[ \t]*(?=[A-Za-z_\x80-\xff])")
COMMENT = re.compile(r"#[^\n]*")  # also one with no blank before it, as Python has it
NUMBER = re.compile(r"(?<![\w.])\d[\d_]*\Z")
LAST_WORD = re.compile(r"\w+\Z")
NO_VALUE = frozenset(kwlist) - {"None", "True", "False"}  # words that nothing is an attribute of


@dataclass(frozen=True, slots=True)
class NamePlace:
    """A name begins after so many bytes of a text; `written` is what there is of it.

    Where a `blank` stands before it that is not written yet, it need not be a name.
    """

    start: int
    written: bytes
    blank: bool = False


def attribute_at_end(text: bytes, open_quotes: str) -> NamePlace | None:
    """The attribute that `text` ends in or is about to name; it begins inside `open_quotes`."""
    found = DOT_AT_END.search(text)
    if found is None:
        return None
    written = found["written"] or b""
    place = NamePlace(len(text) - len(written), written)
    return place if is_dereference(text, found.start(), open_quotes) else None


def may_be_made(text: bytes) -> bool:
    """Whether an attribute that is named after `text`, which ends in a dot, may be a new one.

    A statement that begins with it may make it: `self.name = value`.
    """
    return MADE.search(text) is not None


def is_read(text: bytes, end: int) -> bool:
    """Whether a statement that begins with a name that ends there reads it, as far as is known."""
    return bool(text[end:].strip()) and PERHAPS_STORED.match(text, end) is None


def is_stored(text: bytes, end: int) -> bool:
    """Whether something is assigned to the name that ends there."""
    return STORED.match(text, end) is not None


def is_bound_by_statement(text: bytes) -> bool:
    """Whether the attribute that is named after `text` is bound by `for` or `as`."""
    return MADE_BY_STATEMENT.search(text) is not None


def import_at_end(text: bytes, open_quotes: str) -> NamePlace | None:
    """The module or the name that an import statement at the end of `text` names or is about to."""
    found = IMPORTED.search(text) or FROM.search(text)
    if found is None or blotted_text(text, open_quotes)[-1] == MASK:
        return None
    written = found["written"] or b""
    if written and not found["blanks"] and text[found.start("written") - 1] not in b"(,":
        return None  # `importer`
    blank = not found["blanks"] and not written and not text.endswith(b"(")
    return NamePlace(len(text) - len(written), written, blank)


def imports_inside(text: bytes, open_quotes: str) -> list[NamePlace]:
    """Names in import statements."""
    if b"import" not in text and b"from" not in text:
        return []
    ends = (found.end() for found in NAME.finditer(text))
    places = (import_at_end(text[:end], open_quotes) for end in ends)
    return [place for place in places if place is not None and place.written]


def attributes_inside(text: bytes, open_quotes: str) -> list[NamePlace]:
    """Attributes in code, as far as each is written."""
    return [
        NamePlace(found.end(), b"")
        for found in INNER_DOT.finditer(text)
        if is_dereference(text, found.start(), open_quotes)
    ]


def is_dereference(text: bytes, dot: int, open_quotes: str) -> bool:
    """Whether the dot there takes an attribute of what stands before it.

    It is none in a string or a comment, in a number, in an ellipsis, or in `from . import`. A line
    that begins with a dot goes on with what stands above it.
    """
    blotted = blotted_text(text, open_quotes)
    if blotted[dot] == MASK:
        return False
    before = blotted[blotted.rfind("\n", 0, dot) + 1 : dot].rstrip(" \t")
    word = LAST_WORD.search(before)
    if before.endswith((".", ",", "(", "[", "{", "=", ":")) or NUMBER.search(before):
        return False
    if "'" in before:  # a string that nothing has ended yet
        return False
    return word is None or word[0] not in NO_VALUE


@lru_cache(maxsize=4)  # a text is looked at once for each name in it
def blotted_text(text: bytes, open_quotes: str) -> str:
    """Strings and comments blotted out, a character for each byte."""
    blotted = mask(text.decode("latin-1"), open_quotes).text
    return COMMENT.sub(lambda comment: MASK * len(comment[0]), blotted)
