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
from retrieval.index.languages import FUNCTION_VALUES
from retrieval.symbols.members import OPEN, UNKNOWN, Declared, Members
from retrieval.trees import children_of, has_child, text_of

WHOLE = "*"  # imported as one thing, under one name
DEFAULT = "default"
DECLARING = (".d.ts", ".d.mts", ".d.cts")
EVERY_OBJECT = dict.fromkeys(
    (
        *("constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable"),
        *("toLocaleString", "toString", "valueOf"),
    ),
    Kind.METHOD,
)
EVERY_FUNCTION = {
    **EVERY_OBJECT,
    **dict.fromkeys(("apply", "bind", "call"), Kind.METHOD),
    **dict.fromkeys(("arguments", "caller", "length", "name", "prototype"), Kind.PROPERTY),
}
CLASSES = ("class_declaration", "abstract_class_declaration", "class")
TYPES = ("interface_declaration", "type_alias_declaration", "enum_declaration")
NAMESPACES = ("internal_module", "module")
FUNCTIONS = (*("function_declaration", "generator_function_declaration", "function_signature"),)
METHODS = ("method_definition", "method_signature", "abstract_method_signature")
MADE_BY_PARAMETER = ("accessibility_modifier", "override_modifier", "readonly")
# What writes exports, types, or attributes, that no declaration shows.
COMMON_JS = re.compile(rb"\b(?:module\s*\.\s*exports|exports\s*[.\[,)]|export\s*=)")
COMMENTED = re.compile(rb"@(?:typedef|callback|enum)\b")
AUGMENTS = re.compile(rb"\bdeclare\s+module\s+['\"]\.")
GUARD = re.compile(rb"\bthis\s+is\b")  # a method that tells that there is more
MADE_UNSEEN = re.compile(rb"\bassign\s*\(\s*this\b|\bdefinePropert|\bthis\s*\[[^\]]*\]\s*=")


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


def is_function(part: Node) -> bool:
    """Whether what a name is given is a function that is written out."""
    value = part.child_by_field_name("value")
    return value is not None and value.type in FUNCTION_VALUES


def kind_of_member(part: Node) -> Kind:
    is_method = part.type in METHODS and not has_child(part, ["get", "set"])
    return Kind.METHOD if is_method or is_function(part) else Kind.PROPERTY


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


def members_of_class(declaration: Node) -> Declared:
    bases, known = bases_of_class(declaration)
    text = declaration.text or b""
    unseen = MADE_UNSEEN.search(text) or GUARD.search(text)
    complete = known and unseen is None and not declaration.has_error
    complete = complete and own_parameters(declaration).isdisjoint(bases)
    own = dict(EVERY_OBJECT)
    static = {**EVERY_FUNCTION, **own}
    body = declaration.child_by_field_name("body")
    for part in body.named_children if body is not None else ():
        name = part.child_by_field_name("name")
        if part.type == "index_signature" or (name and name.type == "computed_property_name"):
            complete = False
        members = static if has_child(part, ["static"]) else own
        members[text_of(name).strip("'\"")] = kind_of_member(part)
        parameters = part.child_by_field_name("parameters")
        if text_of(name) == "constructor" and parameters is not None:
            own |= {
                text_of(one.child_by_field_name("pattern")): Kind.PROPERTY
                for one in parameters.named_children
                if has_child(one, MADE_BY_PARAMETER)
            }
    return Declared(
        itself=Members(static, complete, bases),
        of_type=Members(own, complete, bases),
        is_class=True,
    )


def own_parameters(declaration: Node) -> frozenset[str]:
    """The names of a declaration's type parameters."""
    parameters = declaration.child_by_field_name("type_parameters")
    parts = parameters.named_children if parameters is not None else ()
    return frozenset(text_of(part.child_by_field_name("name")) for part in parts)


def bases_of_class(declaration: Node) -> tuple[tuple[str, ...], bool]:
    """The names of what a class extends, and whether these are names at all."""
    heritage = [part for part in declaration.children if part.type == "class_heritage"]
    clauses = [c for part in heritage for c in part.children if c.type == "extends_clause"]
    values = [value for clause in clauses for value in clause.children_by_field_name("value")]
    bases = tuple(text_of(value) for value in values if value.type == "identifier")
    return bases, len(bases) == len(values) == len(clauses)


def members_named(declaration: Node, value: Node | None) -> Members:
    """Of what a declaration gives a name."""
    if GUARD.search(declaration.text or b""):
        return OPEN
    members = members_of_type(value)
    return members if own_parameters(declaration).isdisjoint(members.bases) else OPEN


def members_of_type(node: Node | None) -> Members:
    """Of an interface, or of what a type is an alias of."""
    if node is None or node.has_error:
        return OPEN
    if node.type == "type_identifier":
        return Members(bases=(text_of(node),))
    if node.type == "generic_type":
        return members_of_type(node.child_by_field_name("name"))
    if node.type == "intersection_type":
        found = Members()
        for part in node.named_children:
            found |= members_of_type(part)
        return found
    if node.type == "interface_declaration":
        found = members_of_type(node.child_by_field_name("body"))
        for clause in node.named_children:
            if clause.type == "extends_type_clause":
                for base in clause.children_by_field_name("type"):
                    found |= members_of_type(base)
        return found
    if node.type not in ("object_type", "interface_body"):
        return OPEN
    names, complete = dict(EVERY_OBJECT), True
    for part in node.named_children:
        name = part.child_by_field_name("name")
        if part.type == "comment":
            continue
        is_named = part.type in ("property_signature", "method_signature")
        if not is_named or name is None or name.type == "computed_property_name":
            complete = False
        names[text_of(name).strip("'\"")] = kind_of_member(part)
    return Members(names, complete)


def members_of_enumeration(declaration: Node) -> Members:
    body = declaration.child_by_field_name("body")
    parts = body.named_children if body is not None else []
    named = (part.child_by_field_name("name") or part for part in parts)
    names = {text_of(name).strip("'\""): Kind.PROPERTY for name in named}
    return Members({**EVERY_OBJECT, **names}, complete=not declaration.has_error)


def members_of_value(declarator: Node) -> Members:
    """Of a constant that is an object written out, and not told to be anything else."""
    value = declarator.child_by_field_name("value")
    if declarator.child_by_field_name("type") is not None or value is None:
        return OPEN
    if value.type in ("as_expression", "satisfies_expression"):
        is_constant = has_child(value, ["const"]) or value.type == "satisfies_expression"
        value = value.named_children[0] if is_constant else value
    if value.type != "object" or value.has_error or not value.named_children:
        return OPEN
    names, complete = dict(EVERY_OBJECT), True
    for part in value.named_children:
        key = part.child_by_field_name("key") or part.child_by_field_name("name") or part
        if part.type == "comment":
            continue
        complete = complete and key.type not in ("spread_element", "computed_property_name")
        names[text_of(key).strip("'\"")] = kind_of_member(part)
    return Members(names, complete)
