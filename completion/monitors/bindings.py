"""Which names a syntax tree reads, which ones it binds, and which are in scope, in Python.

Only places are told where a name is read without doubt; any other name counts as bound, so that
whoever looks for names that do not exist finds too few rather than too many.
"""

import builtins
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from tree_sitter import Node, Parser, Query, QueryCursor

from retrieval.grammars import PYTHON
from retrieval.index.declarations import Kind
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
SCOPES = {"function_definition": Kind.FUNCTION, "class_definition": Kind.CLASS}
WRAPPED = frozenset({"dotted_name", "aliased_import"})  # where names are what these are to others
# What is bound in a node, as a field of it.
VARIABLES = (
    *(("assignment", "left"), ("pattern_list", None), ("tuple_pattern", None)),
    *(("list_pattern", None), ("list_splat_pattern", None), ("dictionary_splat_pattern", None)),
    *(("parameters", None), ("lambda_parameters", None), ("typed_parameter", None)),
    *(("default_parameter", "name"), ("typed_default_parameter", "name")),
    *(("for_statement", "left"), ("for_in_clause", "left"), ("as_pattern_target", None)),
    ("named_expression", "name"),
)
BOUND: Mapping[tuple[str, str | None], Kind] = {
    **dict.fromkeys(VARIABLES, Kind.VARIABLE),
    ("import_statement", None): Kind.MODULE,
    ("import_statement", "alias"): Kind.MODULE,
    **{(scope, "name"): kind for scope, kind in SCOPES.items()},
}
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
    """A name in a tree, whether it is read there, and what it is if it is bound without doubt."""

    start: int
    name: bytes
    is_read: bool
    kind: Kind | None = None


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
    found = kinds_in_scope(text, root, place)
    return None if found is None else frozenset(found)


def kinds_in_scope(text: bytes, root: Node, place: int) -> Mapping[bytes, Kind | None] | None:
    """The same with what each is, as far as its scope says so."""
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
    found: dict[bytes, Kind | None] = dict.fromkeys(EVERYWHERE)
    for scope in scopes:
        # A function is read with all in it, a class or the module without what it holds.
        inside = identifiers(scope, is_whole=scope in functions)
        bound = [one for one in inside if not one.is_read]
        known = {one.name: one.kind for one in reversed(bound) if one.kind is not None}
        found = {**dict.fromkeys(one.name for one in bound), **found, **known}
    declared = QueryCursor(Query(PYTHON, GLOBAL)).captures(root).get("name", ())
    parameters = (node.child_by_field_name("type_parameters") for node in around)
    of_types = (identifiers(node, is_whole=True) for node in parameters if node is not None)
    others = {one.name for names in of_types for one in names}
    others |= {bytes(node.text or b"") for node in declared}
    return {**dict.fromkeys(others), **found}


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
            kind = BOUND.get(place)
            yield Identifier(node.start_byte + offset, bytes(node.text or b""), is_read, kind)
        elif node.type in SCOPES and node != root and not is_whole:
            if (name := node.child_by_field_name("name")) is not None:
                start, kind = name.start_byte + offset, SCOPES[node.type]
                yield Identifier(start, bytes(name.text or b""), is_read=False, kind=kind)
        else:
            inside = reversed(list(children_of(node)))
            outer = place[0] if node.type in WRAPPED else node.type
            waiting += [(child, (outer, field), in_pattern) for child, field in inside]
