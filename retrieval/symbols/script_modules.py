"""What a module of TypeScript or JavaScript imports, exports and declares.

In TypeScript what a class, an interface, an enumeration or a constant object has is declared in one
place. In JavaScript anything may be given more attributes from anywhere, so only what a module
exports is known there. What augments a module from another file (`declare module`) is not seen.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tree_sitter import Node

from retrieval.grammars import TYPED_SUFFIXES
from retrieval.index.declarations import Kind
from retrieval.symbols.members import OPEN, UNKNOWN, Declared
from retrieval.symbols.script_members import (
    is_function,
    members_named,
    members_of_class,
    members_of_enumeration,
    members_of_value,
)
from retrieval.trees import children_of, has_child, text_of

WHOLE = "*"  # imported as one thing, under one name
DEFAULT = "default"
DECLARING = (".d.ts", ".d.mts", ".d.cts")
CLASSES = ("class_declaration", "abstract_class_declaration", "class")
TYPES = ("interface_declaration", "type_alias_declaration", "enum_declaration")
NAMESPACES = ("internal_module", "module")
FUNCTIONS = (*("function_declaration", "generator_function_declaration", "function_signature"),)
# What writes exports or types that no declaration shows.
COMMON_JS = re.compile(rb"\b(?:module\s*\.\s*exports|exports\s*[.\[,)]|export\s*=)")
COMMENTED = re.compile(rb"@(?:typedef|callback|enum)\b")
AUGMENTS = re.compile(rb"\bdeclare\s+module\s+['\"]\.")


@dataclass(frozen=True, slots=True)
class Imported:
    """A name of another module, or the whole of it."""

    source: str
    name: str


@dataclass(slots=True)
class Module:
    """`imported` and `declared` by the name that they have in the module, as the `kinds` of what
    it declares; `exported` by the one that others see: the local name, or what is passed on. All
    that the modules of `stars` export is passed on too. Without `complete` more may be exported.
    One that `augments` others adds to what they declare."""

    typed: bool
    imported: dict[str, Imported] = field(default_factory=dict)
    declared: dict[str, Declared] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)
    exported: dict[str, str | Imported] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    complete: bool = True
    augments: bool = False


def read_module(root: Node, path: str) -> Module:
    text, is_module = root.text or b"", False
    module = Module(path.endswith(TYPED_SUFFIXES))
    module.augments = AUGMENTS.search(text) is not None
    unseen = COMMON_JS.search(text) or (not module.typed and COMMENTED.search(text))
    module.complete = not root.has_error and not unseen
    for statement in root.children:
        is_module = is_module or statement.type in ("import_statement", "export_statement")
        if statement.type == "import_statement":
            module.imported |= dict(imports_of(statement))
        elif statement.type == "export_statement":
            export(module, statement)
        else:
            declare(module, statement)
    if path.endswith(DECLARING):  # where all is exported
        module.exported |= {name: name for name in module.declared if name not in module.exported}
    if root.has_error or not is_module:  # what is in no module merges with what is elsewhere
        module.declared = dict.fromkeys(module.declared, UNKNOWN)
        module.complete = False
    return module


def source_of(statement: Node) -> str:
    """The module that a statement names."""
    return text_of(statement.child_by_field_name("source"))[1:-1]


def imports_of(statement: Node) -> Iterator[tuple[str, Imported]]:
    source = source_of(statement)
    for clause in statement.named_children:
        if clause.type != "import_clause":
            continue
        for part in clause.named_children:
            if part.type == "identifier":
                yield text_of(part), Imported(source, DEFAULT)
            elif part.type == "namespace_import":
                yield text_of(part.named_children[-1]), Imported(source, WHOLE)
            else:
                yield from ((own, Imported(source, name)) for name, own in specified(part))


def specified(clause: Node) -> Iterator[tuple[str, str]]:
    """The names that an import or export clause lists, there and here."""
    for part in clause.named_children:
        name = text_of(part.child_by_field_name("name"))
        yield name, text_of(part.child_by_field_name("alias")) or name


def export(module: Module, statement: Node) -> None:
    source = source_of(statement)
    clauses = [part for part in statement.named_children if part.type == "export_clause"]
    for name, seen in (pair for clause in clauses for pair in specified(clause)):
        module.exported[seen] = Imported(source, name) if source else name
        module.complete = module.complete and bool(seen)  # else the grammar does not know it
    for part in statement.named_children:
        if part.type == "namespace_export":
            module.exported[text_of(part.named_children[-1])] = Imported(source, WHOLE)
    if source and has_child(statement, ["*"]):
        module.stars.append(source)
    declaration = statement.child_by_field_name("declaration")
    if declaration is None:
        if has_child(statement, [DEFAULT]):
            module.exported[DEFAULT] = text_of(statement.child_by_field_name("value"))
        return
    names = declare(module, declaration)
    if has_child(statement, [DEFAULT]):
        module.exported[DEFAULT] = "".join(names)
    else:  # of what else may be exported so (`export import a = b`) no name is known
        module.exported |= {name: name for name in names}
        module.complete = module.complete and bool(names)


def declare(module: Module, declaration: Node) -> list[str]:
    """Note what a statement declares; the names that it binds in the module."""
    if declaration.type in ("ambient_declaration", "expression_statement"):
        return [name for part in declaration.named_children for name in declare(module, part)]
    if declaration.type in ("lexical_declaration", "variable_declaration"):
        names: list[str] = []
        for part in declaration.named_children:
            name = part.child_by_field_name("name")
            names += bound_by(name)
            kind = Kind.FUNCTION if is_function(part) else Kind.VARIABLE
            module.kinds |= dict.fromkeys(bound_by(name), kind)
            if name is not None and name.type == "identifier" and has_child(declaration, ["const"]):
                add(module, text_of(name), Declared(itself=members_of_value(part)))
        return names
    if declaration.type not in (*CLASSES, *TYPES, *NAMESPACES, *FUNCTIONS):
        return []
    own = text_of(declaration.child_by_field_name("name")).split(".")[0]
    if not own:
        return []
    module.kinds[own] = kind_of(declaration)
    if declaration.type in CLASSES:
        add(module, own, members_of_class(declaration))
    elif declaration.type == "interface_declaration":
        add(module, own, Declared(of_type=members_named(declaration, declaration)))
    elif declaration.type == "type_alias_declaration":
        value = declaration.child_by_field_name("value")
        add(module, own, Declared(of_type=members_named(declaration, value)))
    elif declaration.type == "enum_declaration":
        add(module, own, Declared(itself=members_of_enumeration(declaration)))
    else:
        add(module, own, Declared(itself=OPEN))
    return [own]


def kind_of(declaration: Node) -> Kind:
    if declaration.type in NAMESPACES:
        return Kind.MODULE
    return Kind.FUNCTION if declaration.type in FUNCTIONS else Kind.CLASS


def add(module: Module, name: str, declared: Declared) -> None:
    if not module.typed:
        declared = UNKNOWN
    module.declared[name] = module.declared.get(name, Declared()) | declared


def bound_by(pattern: Node | None) -> list[str]:
    """The names that are bound by one, or by a pattern of several."""
    if pattern is None:
        return []
    if pattern.type in ("identifier", "shorthand_property_identifier_pattern"):
        return [text_of(pattern)]
    inside = (part for part, field in children_of(pattern) if field not in ("key", "right"))
    return [name for part in inside if part.is_named for name in bound_by(part)]
