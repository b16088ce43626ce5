"""The outline of a file: its declarations, imports and calls, read from its syntax tree.

What stands inside of functions is left out, since nothing else can use it. A broken file is read as
far as its tree goes.
"""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from tree_sitter import Language, Node

from retrieval.grammars import GO, PYTHON, grammar_of
from retrieval.index.calls import calls_of
from retrieval.index.declarations import Declaration, Kind, Outline
from retrieval.index.imports import imports_of
from retrieval.index.languages import CLASS_VALUES, FUNCTION_VALUES, SPELLINGS, Spelling
from retrieval.trees import children_of, has_child, parse, text_of

LONGEST_SIGNATURE = 300
LONGEST_DOC = 2_000
DEEPEST_CLASS = 16
OPENS_BODY = re.compile(r"(?:\s*(?:[:{]|=>?))+$")
WRAPPERS = ("_declaration", "export_statement", "decorated_definition")  # of one declaration
COMMENTS = frozenset({"comment", "line_comment", "block_comment"})
COMMENT_MARKS = re.compile(r"^[ \t]*(?://[/!]?|/\*+!?|\*+/|\*(?!\w))[ ]?|\s*\*+/\s*$", re.MULTILINE)
STRING_MARKS = re.compile(r"^[rRuUbB]*(\"\"\"|'''|\"|')|(\"\"\"|'''|\"|')$")


def outline_of(path: str, text: bytes) -> Outline | None:
    """That of the text of a file at `path`, relative to the repository; None where its language is
    not read."""
    grammar = grammar_of(path)
    if grammar is None:
        return None
    root = parse(text, grammar)
    reader = Reader(grammar, SPELLINGS[grammar])
    return Outline(
        declarations=(module_of(path, root, grammar), *reader.read(root, ())),
        imports=tuple(imports_of(root, grammar)),
        calls=calls_of(root, grammar),
    )


def module_of(path: str, root: Node, grammar: Language) -> Declaration:
    parts = PurePosixPath(path).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
    last_line = max(1, root.end_point.row + (root.end_point.column > 0))
    return Declaration(
        kind=Kind.MODULE,
        name=name.rpartition(".")[2],
        qualified=name,
        signature=f"module {name}",
        doc=module_doc(root, grammar),
        first_line=1,
        last_line=last_line,
    )


def module_doc(root: Node, grammar: Language) -> str:
    """What a module says of itself; elsewhere a file begins with who may copy it."""
    if grammar is PYTHON:
        return docstring(root)
    comments: list[Node] = []
    for node in root.named_children if grammar is GO else ():
        if node.type == "package_clause":
            return comment_text(comments, node)
        comments = [*comments, node] if node.type in COMMENTS else []
    return ""


@dataclass(frozen=True, slots=True)
class Found:
    """A node that declares, the outermost node that is about it alone, and comments before that."""

    node: Node
    outer: Node
    comments: tuple[Node, ...]
    decorators: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads trees of one language."""

    grammar: Language
    spelling: Spelling

    def read(self, inside: Node, around: tuple[str, ...]) -> Iterator[Declaration]:
        """What is declared in a module, or in the members of a class that is in those `around`."""
        if len(around) > DEEPEST_CLASS:
            return
        for found in self.declaring(inside):
            classes = (*around, *receiver_of(found.node))
            kind, value = self.kind_of(found.node, bool(classes))
            for name in names_of(found.node):
                yield declaration(found, kind, (*classes, name), value)
                if kind is Kind.CLASS:
                    members = value.child_by_field_name(self.spelling.members)
                    if members is not None:
                        yield from self.read(members, (*classes, name))

    def declaring(self, inside: Node) -> Iterator[Found]:
        """The nodes that declare something, in text order, those in wrappers among them."""
        comments: tuple[Node, ...] = ()
        for node, _ in children_of(inside):
            if node.type in COMMENTS:
                comments = (*comments, node)
                continue
            if node.type in self.spelling.kinds or is_enum_member(node, inside):
                yield Found(node, node, comments)
            elif node.type in self.spelling.through:
                decorators = tuple(
                    text_of(child) for child in node.named_children if child.type == "decorator"
                )
                alone = node.type.endswith(WRAPPERS) and not has_child(node, "(")
                for found in self.declaring(node):
                    yield self.wrapped(found, node, comments, decorators) if alone else found
            if node.is_named:
                comments = ()

    def wrapped(
        self, found: Found, by: Node, comments: tuple[Node, ...], decorators: tuple[str, ...]
    ) -> Found:
        first_line = found.outer.start_point.row == by.start_point.row
        is_about_it = first_line or bool(decorators)
        return replace(
            found,
            outer=by if is_about_it else found.outer,
            comments=found.comments or (comments if is_about_it else ()),
            decorators=decorators + found.decorators,
        )

    def kind_of(self, node: Node, in_class: bool) -> tuple[Kind, Node]:
        """What a node declares, and the node that has its body."""
        kind = self.spelling.kinds.get(node.type, Kind.CONSTANT)
        value = node.child_by_field_name("value")
        if node.type in self.spelling.by_value and value is not None:
            if value.type in FUNCTION_VALUES:
                return (Kind.METHOD if in_class else Kind.FUNCTION), value
            if value.type in CLASS_VALUES:
                return Kind.CLASS, value
        return (Kind.METHOD if kind is Kind.FUNCTION and in_class else kind), node


def is_enum_member(node: Node, inside: Node) -> bool:
    """In TypeScript a member without a value is a name and no more."""
    return inside.type == "enum_body" and node.type == "property_identifier"


def names_of(node: Node) -> list[str]:
    """The names that a node declares; those of patterns are none that are looked for."""
    if node.type == "property_identifier":
        return [text_of(node)]
    names = node.children_by_field_name("name")
    if node.type == "assignment":
        left = node.child_by_field_name("left")
        names = [] if left is None else [left]
        if left is not None and left.type in ("pattern_list", "tuple_pattern"):
            names = left.named_children
    return [text_of(name) for name in names if is_name(name)]


def is_name(node: Node) -> bool:
    return node.type.endswith("identifier") and not text_of(node).startswith("#")


def receiver_of(node: Node) -> list[str]:
    """The type that a method of Go is declared for, outside of it."""
    receiver = node.child_by_field_name("receiver")
    if receiver is None:
        return []
    return re.findall(r"(\w+)\s*(?:\[[^]]*\]\s*)?\)\s*$", text_of(receiver))[:1]


def declaration(found: Found, kind: Kind, qualified: tuple[str, ...], value: Node) -> Declaration:
    return Declaration(
        kind=kind,
        name=qualified[-1],
        qualified=".".join(qualified),
        signature=signature_of(found, value),
        doc=docstring(value.child_by_field_name("body"))
        or comment_text(found.comments, found.outer),
        first_line=found.outer.start_point.row + 1,
        last_line=found.outer.end_point.row + 1,
    )


def signature_of(found: Found, value: Node) -> str:
    """How it is declared: all up to the body, or the beginning of all where there is none."""
    is_same_line = found.outer.start_point.row == found.node.start_point.row
    start = found.outer if is_same_line else found.node
    body = value.child_by_field_name("body")
    text = start.text or b""
    if body is not None:
        text = text[: body.start_byte - start.start_byte]
    plain = [one for one in found.decorators if "(" not in one]
    written = " ".join([*plain, *text[: 4 * LONGEST_SIGNATURE].decode(errors="replace").split()])
    if body is not None:
        written = OPENS_BODY.sub("", written)
    written = written.rstrip(";,")
    cut = len(written) > LONGEST_SIGNATURE
    return written[: LONGEST_SIGNATURE - 1] + "…" if cut else written


def docstring(body: Node | None) -> str:
    """That of Python: the text that a body begins with."""
    first = (
        next((node for node in body.named_children if node.type != "comment"), None)
        if body
        else None
    )
    if first is None or first.type != "expression_statement" or first.named_child_count != 1:
        return ""
    text = first.named_children[0]
    if text.type not in ("string", "concatenated_string"):
        return ""
    return inspect.cleandoc(STRING_MARKS.sub("", text_of(text)))[:LONGEST_DOC].strip()


def comment_text(comments: "tuple[Node, ...] | list[Node]", before: Node) -> str:
    """What the comments say that stand right above a node, without their marks."""
    lines: list[str] = []
    row = before.start_point.row
    for node in reversed(comments):
        if node.end_point.row + 1 < row:
            break
        lines.insert(0, COMMENT_MARKS.sub("", text_of(node)))
        row = node.start_point.row
    return inspect.cleandoc("\n".join(lines))[:LONGEST_DOC].strip()
