"""Completion points: the places of a source text at which completion matters, by kind.

It owns what counts as a place and what is hidden there: the rest of the cursor's line, or the body
of a block. It reads syntax trees, the same way in every language that there is a grammar for, and
knows neither repositories nor models.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tree_sitter import Node

from retrieval.grammars import grammar_of
from retrieval.index.languages import COMMENTS
from retrieval.trees import DEEPEST_TREE, parse

LONGEST_LINE = 300  # bytes; longer ones are data
MOST_BLOCK_LINES = 8
FEWEST_HIDDEN = 2  # bytes
WORD = re.compile(rb"[\w\"'\x80-\xff]")

# After which Izadi et al. 2022 ("CodeFill", section 5.3) ask for completions in Python, and what
# goes for them in other languages.
KEYWORDS = frozenset(
    {
        *("await", "assert", "raise", "del", "lambda", "yield", "return", "except", "while", "for"),
        *("if", "elif", "else", "global", "in", "and", "not", "or", "is", "with"),
        *("new", "throw", "case", "of", "typeof", "instanceof", "delete", "defer", "go", "range"),
    }
)
OPENERS = frozenset({";", ",", "[", "(", "{", "~"})
CLOSERS = frozenset({")", "]", "}"})
CALLS = frozenset({"argument_list", "arguments"})
DEREFERENCES = frozenset(
    {"attribute", "member_expression", "optional_chain", "selector_expression", "field_access"}
    | {"method_invocation"}
)
OPERATIONS = frozenset(
    {"binary_operator", "boolean_operator", "comparison_operator", "binary_expression"}
)
ASSIGNMENTS = frozenset({"=", ":=", "+=", "-=", "*=", "/=", "|=", "&="})
OPAQUE = COMMENTS | frozenset(
    {"string", "template_string", "string_literal", "interpreted_string_literal", "regex"}
    | {"raw_string_literal", "text_block", "character_literal", "rune_literal", "jsx_text"}
)
BLOCKS = frozenset({"block", "statement_block", "constructor_body"})


class PointKind(StrEnum):
    """What stands before the cursor."""

    LINE = "line start"
    BLOCK = "block body"
    DEREFERENCE = "dereference"
    ARGUMENT = "call argument"
    KEYWORD = "keyword"
    OPERATOR = "operator"
    ASSIGNMENT = "assignment"
    OPENER = "opener"


@dataclass(frozen=True, slots=True)
class CompletionPoint:
    """A cursor, and the end of what is hidden after it: offsets in bytes of the text."""

    kind: PointKind
    cursor: int
    end: int


def points_in(text: bytes, path: str) -> list[CompletionPoint]:
    """The completion points of a source text, in the order of their cursors, no two alike.

    None where there is no grammar for the file's suffix. Where two kinds meet, a line's start
    gives way.
    """
    grammar = grammar_of(path)
    if grammar is None:
        return []
    leaves = list(leaves_of(parse(text, grammar)))
    comments = [leaf.start_byte for leaf, _ in leaves if leaf.type in COMMENTS]
    source = Source(text, comments)
    found: dict[int, CompletionPoint] = {}
    for leaf, around in leaves:
        if leaf.type in OPAQUE:
            continue
        if leaf.type not in CLOSERS and source.begins_line(leaf.start_byte):
            add(found, source.rest_of_line(PointKind.LINE, leaf.start_byte))
        for node in around:
            if node.type in BLOCKS and node.start_byte == leaf.start_byte:
                add(found, source.body_of(node))
        if (kind := kind_after(leaf, around)) is not None:
            add(found, source.rest_of_line(kind, leaf.end_byte))
    return [found[cursor] for cursor in sorted(found)]


def add(found: dict[int, CompletionPoint], point: CompletionPoint | None) -> None:
    if point is None:
        return
    known = found.get(point.cursor)
    if known is None or known.kind is PointKind.LINE:
        found[point.cursor] = point


def kind_after(leaf: Node, around: Sequence[Node]) -> PointKind | None:
    """The kind of place right after a token; None where completion matters less."""
    token, inside = leaf.type, around[-1].type if around else ""
    if token in (".", "?."):
        return PointKind.DEREFERENCE if inside in DEREFERENCES else None
    if leaf.is_named:
        return None
    if token in KEYWORDS:
        return PointKind.KEYWORD
    if token in ("(", ",") and inside in CALLS:
        return PointKind.ARGUMENT
    if token in OPENERS:
        return PointKind.OPENER
    if token in ASSIGNMENTS:
        return PointKind.ASSIGNMENT
    return PointKind.OPERATOR if inside in OPERATIONS else None


@dataclass(frozen=True, slots=True)
class Source:
    """A text, and where its comments begin, in ascending order."""

    text: bytes
    comments: Sequence[int]

    def begins_line(self, at: int) -> bool:
        """Whether nothing but blanks stands before an offset in its line."""
        return not self.text[self.text.rfind(b"\n", 0, at) + 1 : at].strip()

    def line_end(self, at: int) -> int:
        end = self.text.find(b"\n", at)
        return len(self.text) if end < 0 else end

    def rest_of_line(self, kind: PointKind, after: int) -> CompletionPoint | None:
        """The place after an offset and one blank, if the line goes on there with code alone."""
        cursor = after + 1 if self.text[after : after + 1] == b" " else after
        return self.place(kind, cursor, self.line_end(cursor))

    def body_of(self, block: Node) -> CompletionPoint | None:
        """The place where the body of a block begins, on a line of its own.

        None where it begins with what nobody can guess: a comment or a docstring.
        """
        statements = block.named_children
        if not statements or statements[0].type in COMMENTS or is_text_alone(statements[0]):
            return None
        first, end = statements[0], statements[-1].end_byte
        lines = self.text[first.start_byte : end].rstrip().count(b"\n") + 1
        if lines > MOST_BLOCK_LINES or not self.begins_line(first.start_byte):
            return None
        return self.place(PointKind.BLOCK, first.start_byte, end)

    def place(self, kind: PointKind, cursor: int, end: int) -> CompletionPoint | None:
        """A place whose hidden code can be told: no comment, no data, more than punctuation, and
        no line end of another kind."""
        hidden = self.text[cursor:end].rstrip()
        comment = bisect_left(self.comments, cursor)
        is_commented = comment < len(self.comments) and self.comments[comment] < end
        if is_commented or len(hidden) < FEWEST_HIDDEN or not WORD.search(hidden):
            return None
        if b"\r" in hidden:
            return None
        if max(map(len, hidden.split(b"\n"))) > LONGEST_LINE:
            return None
        return CompletionPoint(kind, cursor, cursor + len(hidden))


def is_text_alone(statement: Node) -> bool:
    """Whether a statement is a string and nothing else, as a docstring is."""
    inside = statement.named_children
    return len(inside) == 1 and inside[0].type in OPAQUE


def leaves_of(root: Node) -> Iterator[tuple[Node, tuple[Node, ...]]]:
    """The tokens of a tree in order, each with the nodes around it, the innermost last.

    A string or a comment is one token. What lies too deep for a person to have written it is left
    out.
    """
    cursor = root.walk()
    around: list[Node] = []
    while True:
        node = cursor.node
        assert node is not None
        is_leaf = node.child_count == 0 or node.type in OPAQUE
        if is_leaf:
            yield node, tuple(around)
        elif len(around) < DEEPEST_TREE and cursor.goto_first_child():
            around.append(node)
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            around.pop()
