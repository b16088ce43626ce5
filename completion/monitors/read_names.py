"""Which names the statements of a text read, and which ones they bind, in Python.

Only places are told where a name is read without doubt; any other name counts as bound, so that
whoever looks for names that do not exist finds too few rather than too many.
"""

from dataclasses import dataclass
from functools import lru_cache

import tree_sitter_python
from tree_sitter import Language, Node, Parser

LANGUAGE = Language(tree_sitter_python.language())
BLOCK = b"if 1:\n"  # what an indented text goes on from
# Nodes all of whose names are read, and others with the field that is.
READ_IN = frozenset(
    {
        *("argument_list", "call", "subscript", "slice", "await", "yield", "interpolation"),
        *("binary_operator", "boolean_operator", "comparison_operator", "not_operator"),
        *("unary_operator", "conditional_expression", "parenthesized_expression", "if_clause"),
        *("return_statement", "assert_statement", "raise_statement", "list", "set", "tuple"),
        *("list_splat", "dictionary_splat", "pair"),
    }
)
READ_AS = frozenset(
    {
        *(("attribute", "object"), ("keyword_argument", "value"), ("named_expression", "value")),
        *(("assignment", "right"), ("augmented_assignment", "right"), ("with_item", "value")),
        *(("for_statement", "right"), ("for_in_clause", "right"), ("lambda", "body")),
        *(("if_statement", "condition"), ("elif_clause", "condition")),
        *(("while_statement", "condition"), ("default_parameter", "value")),
        *(("list_comprehension", "body"), ("set_comprehension", "body")),
        *(("generator_expression", "body"), ("typed_default_parameter", "value")),
    }
)
PATTERNS = frozenset({"as_pattern_target", "case_pattern"})  # a tuple in them binds
NEITHER = frozenset({("attribute", "attribute"), ("keyword_argument", "name")})


@dataclass(frozen=True, slots=True)
class ReadName:
    """A name that is read, and where it starts."""

    start: int
    name: bytes


@dataclass(frozen=True, slots=True)
class NamesIn:
    """The names of a text: those read, in order, and those bound, or perhaps bound."""

    read: tuple[ReadName, ...]
    bound: frozenset[bytes]


@lru_cache(maxsize=16)
def names_in(text: bytes) -> NamesIn | None:
    """Those of whole statements; None where `text` is anything else."""
    before = BLOCK if text[:1] in (b" ", b"\t") else b""
    root = Parser(LANGUAGE).parse(before + text).root_node
    if root.has_error:
        return None
    read: list[ReadName] = []
    bound: set[bytes] = set()
    waiting: list[tuple[Node, tuple[str, str | None], bool]] = [(root, ("", None), False)]
    while waiting:
        node, place, in_pattern = waiting.pop()
        in_pattern = in_pattern or node.type in PATTERNS
        if node.type != "identifier":
            fields = (node.field_name_for_child(i) for i in range(node.child_count))
            inside = zip(node.children, fields, strict=True)
            below = [(child, (node.type, field), in_pattern) for child, field in inside]
            waiting += reversed(below)
        elif place not in NEITHER:
            name = bytes(node.text or b"")
            if not in_pattern and (place[0] in READ_IN or place in READ_AS):
                read.append(ReadName(node.start_byte - len(before), name))
            else:
                bound.add(name)
    return NamesIn(tuple(read), frozenset(bound))
