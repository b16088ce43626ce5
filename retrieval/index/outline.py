"""The outline of a file: its declarations, imports and calls, read from its syntax tree.

What stands inside of functions is left out, since nothing else can use it. A broken file is read as
far as its tree goes, one that nobody wrote to a certain size and depth.
"""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import PurePosixPath

from tree_sitter import Language, Node

from retrieval.grammars import GO, PYTHON, grammar_of
from retrieval.index.calls import calls_of
from retrieval.index.declarations import Declaration, Kind, Outline
from retrieval.index.documentation import Comment, body_text, comment_text, docstring
from retrieval.index.imports import imports_of
from retrieval.index.languages import CLASS_VALUES, COMMENTS, FUNCTION_VALUES, SPELLINGS, Spelling
from retrieval.index.signature import signature_of
from retrieval.index.words import identifiers_of
from retrieval.trees import children_of, has_child, parse, text_of

MOST_STATEMENTS = 20_000  # of a module
MOST_DECLARATIONS = 4_000
MOST_TOGETHER = 100  # in one statement
MOST_COMMENTS = 200  # above one declaration
LONGEST_NAME = 200
DEEPEST_CLASS = 16
DEEPEST_WRAPPER = 32
FUNCTIONS = frozenset({Kind.FUNCTION, Kind.METHOD})
WRAPPERS = ("_declaration", "export_statement", "decorated_definition")  # of one declaration
PATTERNS = frozenset({"pattern_list", "tuple_pattern", "list_pattern"})
EXPORTED = re.compile(r"(?:(?:module\.)?exports|(?P<class>\w+)\.prototype)\.(?P<name>[\w$]+)")


def outline_of(path: str, text: bytes) -> Outline | None:
    """That of the text of a file at `path`, relative to the repository; None where its language is
    not read."""
    grammar = grammar_of(path)
    if grammar is None:
        return None
    root = parse(text, grammar)
    module = module_of(path, root, grammar)
    if root.child_count > MOST_STATEMENTS:
        return Outline((module,), (), {})
    reader = Reader(SPELLINGS[grammar], text)
    declared = islice(reader.read(root, ()), MOST_DECLARATIONS)
    return Outline(
        declarations=(module, *declared),
        imports=tuple(imports_of(root, grammar)),
        calls=calls_of(root, grammar),
        names=identifiers_of(text.decode(errors="replace")),
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
    comments: deque[Comment] = deque(maxlen=MOST_COMMENTS)
    for node, _ in children_of(root) if grammar is GO else ():
        if node.type == "package_clause":
            return comment_text(comments, node.start_point.row)
        comments.append(Comment(node, trails=False))
    return ""


@dataclass(frozen=True, slots=True)
class Found:
    """A node that declares, the outermost node that is about it alone, the row on which all that
    is about it begins, and the comments above."""

    node: Node
    outer: Node
    row: int
    comments: Sequence[Comment]
    decorators: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the tree of a text in one language."""

    spelling: Spelling
    source: bytes

    def read(self, inside: Node, around: tuple[str, ...]) -> Iterator[Declaration]:
        """What is declared in a module, or in the members of a class that is in those `around`."""
        if len(around) > DEEPEST_CLASS:
            return
        for found in self.declaring(inside, DEEPEST_WRAPPER):
            classes = (*around, *class_of(found.node))
            kind, value = self.kind_of(found.node, bool(classes))
            for name in names_of(found.node):
                yield self.declaration(found, kind, (*classes, name), value)
                if kind is Kind.CLASS:
                    members = value.child_by_field_name(self.spelling.members)
                    if members is not None:
                        yield from self.read(members, (*classes, name))

    def declaring(self, inside: Node, depth: int) -> Iterator[Found]:
        """The nodes that declare something, in text order, those in wrappers among them."""
        comments: deque[Comment] = deque(maxlen=MOST_COMMENTS)
        last_row = -1  # where what stands before ends
        decorated_row: int | None = None
        for node, _ in children_of(inside):
            if node.type in COMMENTS:
                comments.append(Comment(node, trails=node.start_point.row == last_row))
                continue
            if node.type in self.spelling.kinds or is_enum_member(node, inside):
                row = node.start_point.row if decorated_row is None else decorated_row
                yield Found(node, node, row, tuple(comments))
            elif node.type in self.spelling.through and depth:
                decorators = tuple(
                    text_of(child) for child in node.named_children if child.type == "decorator"
                )
                alone = node.type.endswith(WRAPPERS) and not has_child(node, ("(",))
                inner = self.declaring(node, depth - 1)
                for found in islice(inner, MOST_TOGETHER if alone else None):
                    yield wrapped(found, node, tuple(comments), decorators) if alone else found
            if node.type == "decorator":
                decorated_row = node.start_point.row if decorated_row is None else decorated_row
            elif node.is_named:
                comments.clear()
                decorated_row = None
            last_row = node.end_point.row

    def kind_of(self, node: Node, in_class: bool) -> tuple[Kind, Node]:
        """What a node declares, and the node that has its body."""
        kind = self.spelling.kinds.get(node.type, Kind.VARIABLE)
        value = node.child_by_field_name("value") or node.child_by_field_name("right")
        if node.type in self.spelling.by_value and value is not None:
            if value.type in FUNCTION_VALUES:
                return (Kind.METHOD if in_class else Kind.FUNCTION), value
            if value.type in CLASS_VALUES:
                return Kind.CLASS, value
        return (Kind.METHOD if kind is Kind.FUNCTION and in_class else kind), node

    def declaration(
        self, found: Found, kind: Kind, qualified: tuple[str, ...], value: Node
    ) -> Declaration:
        body = value.child_by_field_name("body")
        return Declaration(
            kind=kind,
            name=qualified[-1],
            qualified=".".join(qualified),
            signature=signature_of(found.node, found.outer, body, found.decorators, self.source),
            doc=docstring(body) or comment_text(found.comments, found.row),
            first_line=found.outer.start_point.row + 1,
            last_line=found.outer.end_point.row + 1,
            body=body_text(body) if kind in FUNCTIONS else "",
        )


def wrapped(
    found: Found, by: Node, comments: Sequence[Comment], decorators: tuple[str, ...]
) -> Found:
    """What is found in a statement around it, unless that only begins before it."""
    is_same_line = found.outer.start_point.row == by.start_point.row
    is_about_it = is_same_line or bool(decorators)
    return replace(
        found,
        outer=by if is_about_it else found.outer,
        row=by.start_point.row if is_about_it else found.row,
        comments=found.comments or (comments if is_about_it else ()),
        decorators=decorators + found.decorators,
    )


def is_enum_member(node: Node, inside: Node) -> bool:
    """In TypeScript a member without a value is a name and no more."""
    return inside.type == "enum_body" and node.type == "property_identifier"


def names_of(node: Node) -> list[str]:
    """The names that a node declares, each once; those that a pattern picks from objects are none
    that are looked for."""
    if node.type == "property_identifier":
        return [text_of(node)]
    if node.type == "assignment_expression":
        exported = EXPORTED.fullmatch(text_of(node.child_by_field_name("left"))[:LONGEST_NAME])
        return [exported["name"]] if exported else []
    if node.type == "type_alias_statement":
        return re.findall(r"^\w+", text_of(node.child_by_field_name("left"))[:LONGEST_NAME])
    names = node.children_by_field_name("name")
    target: Node | None = node
    while target is not None and target.type == "assignment":  # a = b = c
        left = target.child_by_field_name("left")
        is_pattern = left is not None and left.type in PATTERNS
        names += [] if left is None else left.named_children if is_pattern else [left]
        target = target.child_by_field_name("right")
    return list(dict.fromkeys(text_of(name) for name in names if is_name(name)))


def is_name(node: Node) -> bool:
    is_short = node.end_byte - node.start_byte <= LONGEST_NAME
    return is_short and node.type.endswith("identifier") and not text_of(node).startswith("#")


def class_of(node: Node) -> list[str]:
    """The class that a node declares a method for, outside of it."""
    if node.type == "assignment_expression":
        left = text_of(node.child_by_field_name("left"))[:LONGEST_NAME]
        exported = EXPORTED.fullmatch(left)
        return [exported["class"]] if exported and exported["class"] else []
    receiver = node.child_by_field_name("receiver")
    parameters = receiver.named_children if receiver is not None else []
    of = parameters[0].child_by_field_name("type") if parameters else None
    while of is not None and not is_name(of):  # *T, T[K]
        of = of.child_by_field_name("type") or next(iter(of.named_children), None)
    return [] if of is None else [text_of(of)]
