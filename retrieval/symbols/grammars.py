"""Grammars of the languages whose declarations are read, by the suffix of a file."""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import PurePath

import tree_sitter_go
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser, Query, QueryCursor

TYPESCRIPT = Language(tree_sitter_typescript.language_typescript())
TSX = Language(tree_sitter_typescript.language_tsx())  # which is also all of JavaScript
GO = Language(tree_sitter_go.language())
TYPED_SUFFIXES = (".ts", ".tsx", ".mts", ".cts")
UNTYPED_SUFFIXES = (".js", ".jsx", ".mjs", ".cjs")
GO_SUFFIX = ".go"
DECLARED_SUFFIXES = (*TYPED_SUFFIXES, *UNTYPED_SUFFIXES, GO_SUFFIX)


def grammar_of(path: str) -> Language | None:
    """That of a file; None where its declarations are not read."""
    suffix = PurePath(path).suffix
    if suffix == GO_SUFFIX:
        return GO
    if suffix in (*TYPED_SUFFIXES, *UNTYPED_SUFFIXES):
        return TYPESCRIPT if suffix in (".ts", ".mts", ".cts") else TSX
    return None


def parse(text: bytes, grammar: Language) -> Node:
    return Parser(grammar).parse(text).root_node


@cache
def query(grammar: Language, pattern: str) -> Query:
    return Query(grammar, pattern)


def captured(root: Node, grammar: Language, pattern: str) -> list[Node]:
    """The nodes of a tree that a pattern captures as `name`, in text order."""
    found = QueryCursor(query(grammar, pattern)).captures(root).get("name", [])
    return sorted(found, key=lambda node: node.start_byte)


def above(node: Node) -> Iterator[Node]:
    """The nodes that a node is in, innermost first."""
    up = node.parent
    while up is not None:
        yield up
        up = up.parent


def field_of(node: Node) -> str | None:
    """What a node is to its parent."""
    parent = node.parent
    assert parent is not None
    at = next(i for i, child in enumerate(parent.children) if child == node)
    return parent.field_name_for_child(at)


def text_of(node: Node | None) -> str:
    return "" if node is None or node.text is None else node.text.decode(errors="replace")


def has_child(node: Node, types: Iterable[str]) -> bool:
    """Whether a node has a child of one of some types, keywords among them."""
    return any(child.type in types for child in node.children)
