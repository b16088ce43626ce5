"""How something is declared, on one line: all up to its body, without comments."""

import re
from collections.abc import Iterator, Mapping, Sequence

from tree_sitter import Node

from retrieval.index.languages import COMMENTS
from retrieval.trees import children_of

LONGEST_SIGNATURE = 300  # characters
READ_BYTES = 4_096
DEEPEST = 32
OPENS_BODY = re.compile(r"(?:\s*(?:[:{]|=>?))+$")
# What is no part of how it is called; annotations with arguments among it.
LEFT_OUT = COMMENTS | {"annotation", "decorator"}
# What stands once before several of them in Go.
KEYWORDS: Mapping[str, str] = {
    "type_spec": "type",
    "type_alias": "type",
    "const_spec": "const",
    "var_spec": "var",
}


def signature_of(
    node: Node, outer: Node, body: Node | None, decorators: Sequence[str], source: bytes
) -> str:
    """That of a node in a statement `outer`, or the beginning of all where there is no `body`."""
    start = outer if outer.start_point.row == node.start_point.row else node
    end = min(start.end_byte if body is None else body.start_byte, start.start_byte + READ_BYTES)
    pieces, place = [], start.start_byte
    for gap in left_out(start, end, DEEPEST):
        pieces.append(source[place : max(place, gap.start_byte)])
        place = max(place, gap.end_byte)
    pieces.append(source[place:end])
    text = b" ".join(pieces).decode(errors="replace")
    keyword = KEYWORDS.get(node.type)
    prefix = [keyword] if keyword and not text.startswith(keyword) else []
    plain = [one for one in decorators if "(" not in one]
    written = " ".join([*plain, *prefix, *text.split()])
    if body is not None:
        written = OPENS_BODY.sub("", written)
    written = written.rstrip(";,")
    is_long = len(written) > LONGEST_SIGNATURE
    return written[: LONGEST_SIGNATURE - 1] + "…" if is_long else written


def left_out(node: Node, end: int, depth: int) -> Iterator[Node]:
    """The outermost nodes before `end` that are left out, in text order."""
    for child, _ in children_of(node):
        if child.start_byte >= end:
            return
        if child.type in LEFT_OUT:
            yield child
        elif depth:
            yield from left_out(child, end, depth - 1)
