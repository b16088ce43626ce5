"""What is written of a declaration: the docstring in it, or the comments right above it.

And what is written in it, beside that.
"""

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tree_sitter import Node

from retrieval.trees import children_of, text_of

LONGEST_DOC = 1_000  # characters
LONGEST_BODY = 8_000  # bytes
STRING_MARKS = re.compile(r"^[rRuUbB]*(\"\"\"|'''|\"|')|(\"\"\"|'''|\"|')$")
COMMENT_BEGINS = re.compile(r"//[/!]?|/\*+!?|#|\*+/|\*(?!\w)")


@dataclass(frozen=True, slots=True)
class Comment:
    """One that `trails` begins on the line on which something else ends, and is of that."""

    node: Node
    trails: bool


def docstring(body: Node | None) -> str:
    """That of Python: the text that a body begins with."""
    text = docstring_node(body)
    return "" if text is None else cleaned(STRING_MARKS.sub("", beginning(text)))


def docstring_node(body: Node | None) -> Node | None:
    statements = children_of(body) if body is not None else ()
    first = next((node for node, _ in statements if node.type != "comment"), None)
    if first is None or first.type != "expression_statement" or first.named_child_count != 1:
        return None
    [text] = first.named_children
    return text if text.type in ("string", "concatenated_string") else None


def body_text(body: Node | None) -> str:
    """A body without its docstring, as far as it can be of use."""
    if body is None or body.text is None:
        return ""
    doc = docstring_node(body)
    start = 0 if doc is None else doc.end_byte - body.start_byte
    return body.text[start : start + LONGEST_BODY].decode(errors="replace")


def comment_text(comments: Sequence[Comment], row: int) -> str:
    """What the comments say that stand right above something on a row, without their marks."""
    lines: list[str] = []
    first = row
    for comment in reversed(comments):
        is_above = comment.node.end_point.row < first
        if comment.node.end_point.row + 1 < row or (comment.trails and is_above):
            break
        lines = [*map(without_marks, beginning(comment.node).split("\n")), *lines]
        row = comment.node.start_point.row
    return cleaned("\n".join(lines))


def without_marks(line: str) -> str:
    text = line.strip()
    if begins := COMMENT_BEGINS.match(text):
        text = text[begins.end() :].removeprefix(" ")
    return text.removesuffix("*/").rstrip()


def beginning(node: Node) -> str:
    """The text of a node as far as it can be of use."""
    return text_of(node)[: 2 * LONGEST_DOC]


def cleaned(doc: str) -> str:
    return inspect.cleandoc(doc)[:LONGEST_DOC].strip()
