"""The symbols of a file: what it declares, what is within what, and where each name stands.

The same declarations as those of an index (`retrieval.index.outline`), with their places.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from tree_sitter import Node

from retrieval.grammars import grammar_of
from retrieval.index.declarations import Kind
from retrieval.index.languages import SPELLINGS
from retrieval.index.outline import (
    DEEPEST_CLASS,
    DEEPEST_WRAPPER,
    MOST_DECLARATIONS,
    MOST_STATEMENTS,
    Reader,
    names_of,
)
from retrieval.syntax.characters import Characters
from retrieval.trees import parse

MOST_LOOKED_AT = 200  # nodes of a declaration in which its name is looked for


@dataclass(frozen=True, slots=True)
class Symbol:
    """A declaration from character `start` to before `end`, its name from `name_start` to before
    `name_end`."""

    name: str
    kind: Kind
    start: int
    end: int
    name_start: int
    name_end: int
    inside: Sequence["Symbol"] = ()


def symbols_of(path: str, text: str) -> list[Symbol]:
    """Those of a text, in its order; none of a language that is not read."""
    grammar = grammar_of(path)
    if grammar is None:
        return []
    characters = Characters(text)
    root = parse(characters.data, grammar)
    if root.child_count > MOST_STATEMENTS:
        return []
    reader = Reader(SPELLINGS[grammar], characters.data)
    return list(islice(symbols_in(reader, characters, root, 0), MOST_DECLARATIONS))


def symbols_in(
    reader: Reader, characters: Characters, inside: Node, depth: int
) -> Iterator[Symbol]:
    if depth > DEEPEST_CLASS:
        return
    for found in reader.declaring(inside, DEEPEST_WRAPPER):
        kind, value = reader.kind_of(found.node, depth > 0)
        members: list[Symbol] = []
        body = value.child_by_field_name(reader.spelling.members)
        if kind is Kind.CLASS and body is not None:
            members = list(
                islice(symbols_in(reader, characters, body, depth + 1), MOST_DECLARATIONS)
            )
        start, end = characters.at(found.outer.start_byte), characters.at(found.outer.end_byte)
        for name in names_of(found.node):
            at = node_named(found.node, name)
            name_start, name_end = characters.at(at.start_byte), characters.at(at.end_byte)
            yield Symbol(name, kind, start, end, name_start, name_end, members)


def node_named(declaring: Node, name: str) -> Node:
    """Where the name stands in what declares it; the whole where that is not found near its
    beginning."""
    wanted, waiting = name.encode(), deque([declaring])
    for _ in range(MOST_LOOKED_AT):
        if not waiting:
            break
        node = waiting.popleft()
        if node.child_count == 0 and node.text == wanted:
            return node
        waiting.extend(node.children)
    return declaring
