"""Looking around in syntax trees, in a time that does not grow with the square of their size.

A node of tree-sitter finds what it is in by going down from the root, and its fields by counting
its siblings: whoever asks that of many nodes goes down once instead.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from tree_sitter import Language, Node, Parser, Query, QueryCursor, TreeCursor

T = TypeVar("T")
MOST_PLACES = 2_000  # of one name in a file
DEEPEST_TREE = 400


def parse(text: bytes, grammar: Language) -> Node:
    return Parser(grammar).parse(text).root_node


@cache
def query(grammar: Language, pattern: str) -> Query:
    return Query(grammar, pattern)


def captured(root: Node, grammar: Language, pattern: str) -> list[Node]:
    """The nodes of a tree that a pattern captures as `name`, in text order, none in the depths."""
    cursor = QueryCursor(query(grammar, pattern))
    cursor.set_max_start_depth(DEEPEST_TREE)
    found = cursor.captures(root).get("name", [])
    return sorted(found, key=lambda node: node.start_byte)


def children_of(node: Node) -> Iterator[tuple[Node, str | None]]:
    """The children of a node, each with the field that it is to it."""
    cursor = node.walk()
    if cursor.goto_first_child():
        yield child_at(cursor)
        while cursor.goto_next_sibling():
            yield child_at(cursor)


def child_at(cursor: TreeCursor) -> tuple[Node, str | None]:
    assert cursor.node is not None
    return cursor.node, cursor.field_name


@dataclass(frozen=True, slots=True)
class Spot:
    """A node of a tree with all that it is in, innermost first, and the field that it is to each
    next one out."""

    node: Node
    field: str | None
    around: tuple[tuple[Node, str | None], ...]

    @property
    def parent(self) -> Node | None:
        return self.around[0][0] if self.around else None

    def up(self) -> "Spot":
        """What the node is in."""
        (node, field), *around = self.around
        return Spot(node, field, tuple(around))

    def above(self) -> Iterator[Node]:
        return (node for node, _ in self.around)


def spots(root: Node, places: Sequence[int]) -> list[Spot]:
    """The leaves at some places (ascending) of a tree; none where it is deep or has many."""
    if len(places) > MOST_PLACES:
        return []
    found: list[Spot] = []
    waiting: list[tuple[Node, str | None, tuple[tuple[Node, str | None], ...]]] = [(root, None, ())]
    while waiting:
        node, field, around = waiting.pop()
        at = bisect_left(places, node.start_byte)
        if at == len(places) or places[at] >= node.end_byte:
            continue
        if node.child_count == 0:
            found.append(Spot(node, field, around))
        elif len(around) > DEEPEST_TREE:
            return []
        else:
            inside = ((node, field), *around)
            waiting += [(child, own, inside) for child, own in children_of(node)]
    return sorted(found, key=lambda spot: spot.node.start_byte)


def spots_of(root: Node, name: str) -> list[Spot]:
    """Where a name stands in a tree; none where it stands in too many places."""
    wanted = name.encode()
    pattern = rb"(?<![\w$])" + re.escape(wanted) + rb"(?![\w$])"
    found = re.finditer(pattern, root.text or b"")
    places = [root.start_byte + one.start() for one in found]
    return [spot for spot in spots(root, places) if spot.node.text == wanted]


def innermost(bound: Sequence[tuple[T, Node]]) -> T | None:
    """What is bound in the smallest of some scopes, unless several things are."""
    sizes = [scope.end_byte - scope.start_byte for _, scope in bound]
    nearest = [one for (one, _), size in zip(bound, sizes, strict=True) if size == min(sizes)]
    return nearest[0] if len(nearest) == 1 else None


def text_of(node: Node | None) -> str:
    return "" if node is None or node.text is None else node.text.decode(errors="replace")


def has_child(node: Node, types: Iterable[str]) -> bool:
    """Whether a node has a child of one of some types, keywords among them."""
    return any(child.type in types for child in node.children)
