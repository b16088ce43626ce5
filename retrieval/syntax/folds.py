"""What folds in a file, and what grows around a cursor: both by the syntax tree alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tree_sitter import Node

from retrieval.grammars import grammar_of
from retrieval.index.languages import COMMENTS
from retrieval.syntax.characters import Characters
from retrieval.trees import DEEPEST_TREE, children_of, parse, spots

MOST_FOLDS = 5_000
TEXTS = frozenset({"string", "template_string"})
CLOSED_BY = {"{": "}", "[": "]", "(": ")"}
IMPORTS = frozenset(
    {
        *("import_statement", "import_from_statement", "future_import_statement"),
        "import_declaration",
    }
)


class FoldKind(StrEnum):
    """What folds, by the protocol's words where it has some."""

    REGION = "region"
    COMMENT = "comment"
    IMPORTS = "imports"


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines from the one of character `first`, which stays to be seen, to the one of `last`."""

    first: int
    last: int
    kind: FoldKind


def folds_of(path: str, text: str) -> list[Fold]:
    """In text order; each more than a line, at most one that begins in a line."""
    grammar = grammar_of(path)
    if grammar is None:
        return []
    characters = Characters(text)
    found: dict[int, Fold] = {}
    for first, last, kind in folding(parse(characters.data, grammar)):
        if kind is not FoldKind.REGION or is_of_lines(characters.data, first, last):
            fold = Fold(characters.at(first), characters.at(last), kind)
            found.setdefault(characters.data.count(b"\n", 0, first), fold)
            if len(found) >= MOST_FOLDS:
                break
    return sorted(found.values(), key=lambda fold: fold.first)


def is_of_lines(data: bytes, first: int, last: int) -> bool:
    return b"\n" in data[first:last] or b"\r" in data[first:last]


def folding(root: Node) -> Iterator[tuple[int, int, FoldKind]]:
    """The bytes in whose lines folds begin and end, outer ones first."""
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield from runs_in(node)
        inner = [child for child, _ in children_of(node)] if depth < DEEPEST_TREE else []
        for before, child in zip([None, *inner], inner, strict=False):
            if (fold := fold_of(child, before)) is not None:
                yield (*fold, FoldKind.REGION)
        waiting += [(child, depth + 1) for child in reversed(inner) if has_lines(child)]


def has_lines(node: Node) -> bool:
    return node.child_count > 0 and node.start_point.row != node.end_point.row


def fold_of(node: Node, before: Node | None) -> tuple[int, int] | None:
    """From the head of a block, or from a bracket to before the line of its other one."""
    if node.type == "block" and before is not None and before.type == ":":
        return before.start_byte, node.end_byte
    if node.type in TEXTS:
        return node.start_byte, node.end_byte
    if node.child_count < 2 or CLOSED_BY.get(node.children[0].type) != node.children[-1].type:
        return None
    closed = node.children[-1]
    end_of_line = closed.start_byte - closed.start_point.column - 1
    return (node.start_byte, end_of_line) if end_of_line > node.start_byte else None


def runs_in(node: Node) -> Iterator[tuple[int, int, FoldKind]]:
    """Several imports, or several lines of comments, that follow on each other."""
    run: list[Node] = []
    for child in (*(child for child, _ in children_of(node)), None):
        if run and (child is None or not goes_on(run[-1], child)):
            kind = kind_of(run[0])
            if kind is not None and run[-1].end_point.row > run[0].start_point.row:
                yield run[0].start_byte, run[-1].end_byte, kind
            run = []
        if child is not None and kind_of(child) is not None:
            run.append(child)


def goes_on(last: Node, node: Node) -> bool:
    """Between imports there may be an empty line."""
    kind = kind_of(last)
    most = 2 if kind is FoldKind.IMPORTS else 1
    return kind_of(node) is kind and node.start_point.row - last.end_point.row <= most


def kind_of(node: Node) -> FoldKind | None:
    if node.type in COMMENTS:
        return FoldKind.COMMENT
    return FoldKind.IMPORTS if node.type in IMPORTS else None


def selections_at(path: str, text: str, indices: list[int]) -> list[list[tuple[int, int]]]:
    """For each place (an index of a character), what is around it, the innermost first, as
    characters from and to before; the whole text at least."""
    grammar = grammar_of(path)
    characters = Characters(text)
    whole = (0, len(text))
    if grammar is None:
        return [[whole] for _ in indices]
    root = parse(characters.data, grammar)
    found = []
    for index in indices:
        byte = characters.byte_of(index)
        spot = next(iter(spots(root, [byte])), None) or next(iter(spots(root, [byte - 1])), None)
        nodes = [] if spot is None else [spot.node, *spot.above()]
        ranges = [(characters.at(one.start_byte), characters.at(one.end_byte)) for one in nodes]
        around = [one for one in ranges if one[0] <= index <= one[1]]
        found.append(list(dict.fromkeys([*around, whole])))
    return found
