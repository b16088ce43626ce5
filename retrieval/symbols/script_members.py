"""The names that classes, types, enumerations and objects declare, in TypeScript and JavaScript."""

import re

from tree_sitter import Node

from retrieval.index.declarations import Kind
from retrieval.index.languages import FUNCTION_VALUES
from retrieval.symbols.members import OPEN, Declared, Members
from retrieval.trees import has_child, text_of

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
METHODS = ("method_definition", "method_signature", "abstract_method_signature")
MADE_BY_PARAMETER = ("accessibility_modifier", "override_modifier", "readonly")
# What writes attributes that no declaration shows.
GUARD = re.compile(rb"\bthis\s+is\b")  # a method that tells that there is more
MADE_UNSEEN = re.compile(rb"\bassign\s*\(\s*this\b|\bdefinePropert|\bthis\s*\[[^\]]*\]\s*=")


def is_function(part: Node) -> bool:
    """Whether what a name is given is a function that is written out."""
    value = part.child_by_field_name("value")
    return value is not None and value.type in FUNCTION_VALUES


def kind_of_member(part: Node) -> Kind:
    is_method = part.type in METHODS and not has_child(part, ["get", "set"])
    return Kind.METHOD if is_method or is_function(part) else Kind.PROPERTY


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
