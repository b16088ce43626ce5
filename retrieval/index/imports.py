"""What a file imports, and what it calls that."""

import re
from collections.abc import Callable, Iterator, Mapping

from tree_sitter import Language, Node

from retrieval.grammars import GO, JAVA, PYTHON, TSX, TYPESCRIPT
from retrieval.index.declarations import Import
from retrieval.trees import captured, text_of

ALL = "*"
DEFAULT = "default"


def imports_of(root: Node, grammar: Language) -> Iterator[Import]:
    """In text order."""
    pattern, read = READERS[grammar]
    for statement in captured(root, grammar, pattern):
        yield from read(statement)


def of_python(statement: Node) -> Iterator[Import]:
    source = statement.child_by_field_name("module_name")
    for name in statement.children_by_field_name("name"):
        whole = text_of(name.child_by_field_name("name") or name)
        local = text_of(name.child_by_field_name("alias"))
        if source is None:
            yield Import(local or whole.partition(".")[0], whole)
        else:
            yield Import(local or whole, text_of(source), whole)
    if source is not None and any(node.type == "wildcard_import" for node in statement.children):
        yield Import(ALL, text_of(source), ALL)


def of_script(statement: Node) -> Iterator[Import]:
    if statement.type == "variable_declarator":
        yield from of_require(statement)
        return
    module = unquoted(statement.child_by_field_name("source"))
    clause = next((node for node in statement.children if node.type == "import_clause"), None)
    required = next((n for n in statement.children if n.type == "import_require_clause"), None)
    if required is not None:
        source = required.child_by_field_name("source")
        yield Import(text_of(required.named_children[0]), unquoted(source))
    for node in clause.named_children if clause is not None else ():
        if node.type == "identifier":
            yield Import(text_of(node), module, DEFAULT)
        elif node.type == "namespace_import":
            yield Import(text_of(node.named_children[-1]), module)
        else:
            for name in node.named_children:
                if name.type != "import_specifier":
                    continue
                own = text_of(name.child_by_field_name("name"))
                yield Import(text_of(name.child_by_field_name("alias")) or own, module, own)


def of_require(declarator: Node) -> Iterator[Import]:
    """`const fs = require("fs")`, and names out of it."""
    call = re.fullmatch(
        r"require\s*\(\s*['\"]([^'\"]+)['\"]\s*\)", text_of(declarator.child_by_field_name("value"))
    )
    target = declarator.child_by_field_name("name")
    if call is None or target is None:
        return
    if target.type == "identifier":
        yield Import(text_of(target), call[1])
    for name in target.named_children:
        local = name.child_by_field_name("value") or name
        if local.type.endswith("identifier") or "identifier_pattern" in local.type:
            key = text_of(name.child_by_field_name("key")) or text_of(name)
            yield Import(text_of(local), call[1], key)


def of_java(statement: Node) -> Iterator[Import]:
    path = next((n for n in statement.named_children if n.type.endswith("identifier")), None)
    if any(node.type == "asterisk" for node in statement.children):
        yield Import(ALL, text_of(path), ALL)
    else:
        module, _, name = text_of(path).rpartition(".")
        yield Import(name, module, name)


def of_go(spec: Node) -> Iterator[Import]:
    module = unquoted(spec.child_by_field_name("path"))
    local = text_of(spec.child_by_field_name("name"))
    if local == ".":
        yield Import(ALL, module, ALL)
    elif local != "_":
        last = [part for part in module.split("/") if not re.fullmatch(r"v\d+", part)]
        named = re.sub(r"\.v\d+$", "", last[-1] if last else module)
        yield Import(local or named, module)


def unquoted(node: Node | None) -> str:
    return text_of(node)[1:-1]


SCRIPT_PATTERN = """[(import_statement) @name
    (variable_declarator value: (call_expression function: (identifier) @called)
        (#eq? @called "require")) @name]"""
READERS: Mapping[Language, tuple[str, Callable[[Node], Iterator[Import]]]] = {
    PYTHON: ("[(import_statement) (import_from_statement)] @name", of_python),
    TYPESCRIPT: (SCRIPT_PATTERN, of_script),
    TSX: (SCRIPT_PATTERN, of_script),
    JAVA: ("(import_declaration) @name", of_java),
    GO: ("(import_spec) @name", of_go),
}
