"""What an attribute is of, and how little of its line a question about it depends on.

A question that leaves out what cannot matter is the same for every attribute of `self` on a line,
and while the line is typed: it is asked once.
"""

import re

from completion.monitors.names import NAME

SELF = (b"self", b"cls")
A_NAME = NAME.pattern
RECEIVER = re.compile(
    rb"(?<![0-9A-Za-z_\x80-\xff.)\]}\"'])(?P<root>" + A_NAME + rb")(?:\." + A_NAME + rb")*\.\Z"
)
OF_SELF = re.compile(rb"(?<![\w.])(?:self|cls)\.(" + A_NAME + rb")")
# With these, `self` may be another or have more.
CHANGING = re.compile(rb"\b(?:def|class|setattr|hasattr|getattr|isinstance|vars|__dict__)\b")
INDENT = re.compile(rb"[ \t]*")


def question_text(text: bytes) -> bytes:
    """What is asked about where `text`, the cursor's line and what was written, ends in a dot.

    Of the line that the dot is on nothing but the names before it, unless the first of them stands
    elsewhere on that line: it may be bound there, or told to be of some type. Of `self` alone it is
    as at the beginning of the text.
    """
    if CHANGING.search(text):
        return text
    head, _, line = text.rpartition(b"\n")
    found = RECEIVER.search(line)
    if found is None:
        return text
    root, receiver = found["root"], found[0]
    if receiver[:-1] in SELF:
        return indent_of(text) + receiver
    if re.search(rb"(?<![0-9A-Za-z_\x80-\xff])" + re.escape(root), line[: found.start()]):
        return text
    return head + b"\n" * bool(head) + indent_of(line) + receiver


def used_in(text: bytes) -> frozenset[bytes]:
    """Attributes of `self` that `text` itself names: it makes them, or they were found right."""
    return frozenset(OF_SELF.findall(text))


def indent_of(text: bytes) -> bytes:
    found = INDENT.match(text)
    assert found is not None
    return found[0]
