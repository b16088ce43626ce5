"""What the text of a Java file says of a place in it: what is before the dot there, and of which
type names are.

The text may be broken. Types go by their simple names; what they have is the matter of
`java_names`.
"""

import re
from dataclasses import dataclass

from tree_sitter import Node

from retrieval.grammars import JAVA
from retrieval.trees import captured, text_of

NAME = re.compile(r"[^\W\d]\w*\Z")
MADE = re.compile(r"\bnew\s+(?:\w+\s*\.\s*)*(\w+)\s*(?:<[^;{}]*>)?\s*\Z")
CAST = re.compile(r"\(\s*\(\s*(?:\w+\s*\.\s*)*(\w+)\s*(?:<[^()]*>)?\s*\)[^()]*\)\Z")
FARTHEST = 2_000  # characters that brackets are followed back over
OPENERS = {")": "(", "]": "["}
BOUND = """[
    (variable_declarator name: (identifier) @name)
    (formal_parameter name: (identifier) @name)
    (enhanced_for_statement name: (identifier) @name)
    (resource name: (identifier) @name)
    (catch_formal_parameter name: (identifier) @name)
    (instanceof_expression name: (identifier) @name)
    (type_pattern (identifier) @name)]"""
CLASSES = """[
    (class_declaration name: (identifier) @name)
    (interface_declaration name: (identifier) @name)
    (enum_declaration name: (identifier) @name)
    (record_declaration name: (identifier) @name)]"""


@dataclass(frozen=True, slots=True)
class Receiver:
    """What stands before a dot: `name` is that of a variable, a type or a method that is called, or
    `this` or `super`; or it is of a `type` that is written there."""

    name: str = ""
    is_called: bool = False
    type: str = ""


def receiver_before(text: str) -> Receiver:
    """Of the dot that a text ends with; an empty one where it is none of these."""
    text = text.rstrip().removesuffix(".").rstrip()
    if text.endswith('"'):
        return Receiver(type="String")
    if text.endswith("]"):
        text = text[: opener_of(text)].rstrip()
    if text.endswith(")"):
        if cast := CAST.search(text, max(0, len(text) - FARTHEST)):
            return Receiver(type=cast[1])
        head = text[: opener_of(text)].rstrip()
        if made := MADE.search(head, max(0, len(head) - FARTHEST)):
            return Receiver(type=made[1])
        called = NAME.search(head)
        return Receiver(called[0], is_called=True) if called else Receiver()
    found = NAME.search(text)
    return Receiver(found[0]) if found else Receiver()


def opener_of(text: str) -> int:
    """Where the bracket is opened that a text ends with, or else its start."""
    closer, depth = text[-1], 0
    for place in range(len(text) - 1, max(-1, len(text) - FARTHEST), -1):
        if text[place] in (closer, OPENERS[closer]):
            depth += 1 if text[place] == closer else -1
        if depth == 0:
            return place
    return 0


def bound_before(root: Node, name: str, place: int) -> Node | None:
    """The nearest variable of a name that is bound above a place, or the first one below."""
    bound = [node for node in captured(root, JAVA, BOUND) if text_of(node) == name]
    above = [node for node in bound if node.start_byte < place]
    return above[-1] if above else next(iter(bound), None)


def type_of(bound: Node) -> Receiver:
    """The type of a variable as it is written where it is bound: by name, or by what makes it."""
    by = bound.parent
    if by is None:
        return Receiver()
    written = by.child_by_field_name("type") or by.child_by_field_name("right")
    if written is None and by.parent is not None:
        written = by.parent.child_by_field_name("type")
    if by.type == "type_pattern" or (written is None and by.named_children):
        written = by.named_children[0]
    name = simple_name(written)
    value = by.child_by_field_name("value")
    if name != "var" or value is None:
        return Receiver(type=name)
    return receiver_before(text_of(value) + ".")


def simple_name(node: Node | None) -> str:
    """Of a type, without what it is made of: `Box` of `shop.Box<Letter>[]`."""
    while node is not None and node.type in ("generic_type", "array_type", "annotated_type"):
        node = node.child_by_field_name("element") or node.named_children[0]
    return text_of(node).rpartition(".")[2]


def classes_around(root: Node, place: int) -> list[str]:
    """Those that a place is in, the innermost last; of a broken text, those above."""
    names = [name for name in captured(root, JAVA, CLASSES) if name.start_byte < place]
    around = [one for one in names if one.parent is not None and place < one.parent.end_byte]
    return [text_of(one) for one in around or names]
