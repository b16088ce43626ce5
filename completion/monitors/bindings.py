"""Which names a syntax tree reads, which ones it binds, and which are in scope, in Python.

Only places are told where a name is read without doubt; any other name counts as bound, so that
whoever looks for names that do not exist finds too few rather than too many.
"""

import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from tree_sitter import Node, Parser, Query, QueryCursor

from retrieval.grammars import PYTHON
from retrieval.trees import children_of

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
        *(("except_clause", "value"), ("as_pattern", None)),
    }
)
PATTERNS = frozenset({"as_pattern_target", "case_pattern"})  # a tuple in them binds
NEITHER = frozenset(
    {
        *(("attribute", "attribute"), ("keyword_argument", "name")),
        ("import_from_statement", "module_name"),
    }
)
SCOPES = frozenset({"function_definition", "class_definition"})
GLOBAL = "(global_statement (identifier) @name)"
# With these, names come into a module that its text does not show.
OPEN = re.compile(
    rb"\bimport[\s\\(]*\*|\b(?:exec|globals|locals|vars)\b|\bmodules\[|\bbuiltins\.|\bgettext\b"
)
FIRST_INDENT = re.compile(rb"(?:[ \t]*(?:#[^\n]*)?\r?\n)*([ \t]*)")
EVERYWHERE = frozenset(name.encode() for name in dir(builtins)) | {
    *(b"__name__", b"__file__", b"__doc__", b"__package__", b"__spec__", b"__loader__"),
    *(b"__path__", b"__builtins__", b"__annotations__", b"__class__", b"__debug__", b"__dict__"),
    *(b"__cached__", b"__module__", b"__qualname__", b"WindowsError", b"reveal_type"),
    # What tools put among the builtins, and what other versions of Python have there.
    *(b"_", b"get_ipython", b"display", b"unicode", b"basestring", b"long", b"xrange", b"unichr"),
    *(b"raw_input", b"reduce", b"PythonFinalizationError", b"ExceptionGroup", b"aiter", b"anext"),
}


@dataclass(frozen=True, slots=True)
class Identifier:
    """A name in a tree, and whether it is read there."""

    start: int
    name: bytes
    is_read: bool


@dataclass(frozen=True, slots=True)
class NamesIn:
    """The names of a text: those read, in order, and those bound, or perhaps bound."""

    read: tuple[Identifier, ...]
    bound: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class WrittenStatement:
    """A text, and the place of a statement in it, both in bytes."""

    text: bytes
    place: int


@lru_cache(maxsize=16)
def names_in(text: bytes) -> NamesIn | None:
    """Those of whole statements; None where `text` is anything else, or brings in more names."""
    if OPEN.search(text):
        return None
    before = BLOCK if first_indent(text) else b""
    root = Parser(PYTHON).parse(before + text).root_node
    if root.has_error:
        return None
    found = list(identifiers(root, is_whole=True, offset=-len(before)))
    read = tuple(one for one in found if one.is_read)
    return NamesIn(read, frozenset(one.name for one in found if not one.is_read))


def statement_at(above: str, indent: bytes, below: str) -> WrittenStatement:
    """A statement in the place of one that is being written, on a line between two texts."""
    head = above.encode(errors="replace") + indent
    return WrittenStatement(head + b"pass" + below.encode(errors="replace"), len(head))


def names_in_scope(text: bytes, root: Node, place: int) -> frozenset[bytes] | None:
    """All that may be read at a place of a module; None where its text does not show them all."""
    if root.has_error or OPEN.search(text):
        return None
    around: list[Node] = []
    node: Node | None = root.descendant_for_byte_range(place, place)
    while node is not None:
        if node.type in SCOPES:
            around.append(node)
        node = node.parent
    functions = [node for node in around if node.type == "function_definition"]
    scopes = [root, functions[-1]] if functions else [root, *around]
    found = set(EVERYWHERE)
    for scope in scopes:
        # A function is read with all in it, a class or the module without what it holds.
        inside = identifiers(scope, is_whole=scope in functions)
        found |= {one.name for one in inside if not one.is_read}
    declared = QueryCursor(Query(PYTHON, GLOBAL)).captures(root).get("name", ())
    parameters = (node.child_by_field_name("type_parameters") for node in around)
    of_types = (identifiers(node, is_whole=True) for node in parameters if node is not None)
    found |= {one.name for names in of_types for one in names}
    return frozenset(found | {bytes(node.text or b"") for node in declared})


def first_indent(text: bytes) -> bytes:
    """The indentation of the first line that holds code."""
    found = FIRST_INDENT.match(text)
    assert found is not None
    return found[1]


def identifiers(root: Node, *, is_whole: bool, offset: int = 0) -> Iterator[Identifier]:
    """Those below a node, in order; of the scopes in it their names alone, but if it is whole."""
    waiting: list[tuple[Node, tuple[str, str | None], bool]] = [(root, ("", None), False)]
    while waiting:
        node, place, in_pattern = waiting.pop()
        in_pattern = in_pattern or node.type in PATTERNS
        if place in NEITHER:
            continue
        if node.type == "identifier":
            is_read = not in_pattern and (place[0] in READ_IN or place in READ_AS)
            yield Identifier(node.start_byte + offset, bytes(node.text or b""), is_read)
        elif node.type in SCOPES and node != root and not is_whole:
            if (name := node.child_by_field_name("name")) is not None:
                yield Identifier(name.start_byte + offset, bytes(name.text or b""), is_read=False)
        else:
            kind, inside = node.type, list(children_of(node))
            waiting += [(child, (kind, field), in_pattern) for child, field in reversed(inside)]
