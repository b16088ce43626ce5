"""What a name at a place in TypeScript or JavaScript may be.

A receiver is a name, or `this`. What it stands for is read off the binding that is in scope there:
an import, a declaration of the module, or a variable or parameter whose type is written beside it
or that is made with `new`. Where it is bound twice, or the code may have narrowed its type, nothing
is said.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tree_sitter import Node

from retrieval.index.declarations import Kinds
from retrieval.symbols.script_modules import CLASSES, source_of
from retrieval.symbols.script_workspace import Found, ScriptWorkspace
from retrieval.trees import Spot, has_child, innermost, spots, spots_of, text_of

FUNCTIONS = (
    *("function_declaration", "function_expression", "arrow_function", "method_definition"),
    *("generator_function_declaration", "generator_function", "function_signature"),
    *("method_signature", "abstract_method_signature", "construct_signature", "call_signature"),
    "function_type",
)
SCOPES = (
    *FUNCTIONS,
    *("program", "statement_block", "catch_clause", "for_statement", "for_in_statement"),
    *("class_body", "switch_body", "class_static_block"),
)
PATTERNS = (
    *("object_pattern", "array_pattern", "rest_pattern", "assignment_pattern"),
    *("object_assignment_pattern", "pair_pattern"),
)
BINDING = frozenset(
    {
        *(("variable_declarator", "name"), ("required_parameter", "pattern")),
        *(("optional_parameter", "pattern"), ("formal_parameters", None)),
        *(("arrow_function", "parameter"), ("catch_clause", "parameter")),
        *(("for_in_statement", "left"), ("import_clause", None), ("namespace_import", None)),
        *(("import_specifier", "name"), ("import_specifier", "alias")),
        *(("import_require_clause", None), ("import_alias", None), ("class_declaration", "name")),
        *(("abstract_class_declaration", "name"), ("class", "name"), ("enum_declaration", "name")),
        *(("internal_module", "name"), ("module", "name"), ("function_declaration", "name")),
        *(("function_expression", "name"), ("generator_function_declaration", "name")),
        *(("generator_function", "name"), ("function_signature", "name")),
    }
)
OUTSIDE = ("function_declaration", "generator_function_declaration", "function_signature")
NAMESPACES = ("internal_module", "module")
# What gives a type a name, beside what a module declares.
TYPES = (
    *("class_declaration", "abstract_class_declaration", "interface_declaration"),
    *("type_alias_declaration", "enum_declaration", "type_parameter", "infer_type"),
    *("import_alias", "class", "mapped_type_clause"),
)
WRAPPED = ("parenthesized_expression", "non_null_expression", "assignment_expression")
AROUND_MODULES = ("export_statement", "ambient_declaration", "lexical_declaration")


@dataclass(frozen=True, slots=True)
class Binding:
    """A name that is bound, what binds it, and where it is in scope."""

    by: Spot
    scope: Node
    is_whole: bool  # and not taken out of a pattern


@dataclass(frozen=True, slots=True)
class ScriptPlaces:
    """Of a module whose tree is at hand, in a workspace."""

    root: Node
    workspace: ScriptWorkspace

    def names_at(self, place: int) -> Kinds | None:
        """Those that may stand where a name begins; None where any may, as far as is known."""
        found = spots(self.root, [place])
        if not found or any(node.type in NAMESPACES for node in found[0].above()):
            return None
        [spot], parent = found, found[0].parent
        if parent is None:
            return None
        if parent.type in ("import_specifier", "export_specifier") and spot.field == "name":
            return self._exported_beside(spot)
        if parent.type == "nested_type_identifier":
            receiver = parent.child_by_field_name("module")
        elif parent.type == "member_expression" and spot.field == "property":
            receiver = parent.child_by_field_name("object")
        else:
            return None
        if receiver is not None and receiver.type == "non_null_expression":
            receiver = receiver.named_children[0]
        if receiver is None or receiver == spot.node:
            return None
        if receiver.type == "this":
            return self._names_of_this(spot)
        return self._names_of(receiver) if receiver.type == "identifier" else None

    def _exported_beside(self, specifier: Spot) -> Kinds | None:
        """What the module exports that an import or export statement names."""
        statements = (node for node in specifier.above() if node.type.endswith("_statement"))
        statement = next(statements, None)
        source = source_of(statement) if statement is not None else ""
        return self.workspace.exported(self.workspace.find_module(source, self.workspace.path))

    def _names_of_this(self, place: Spot) -> Kinds | None:
        """In a method of a class that the module declares, or in the value of one of its fields."""
        while place.parent is not None and place.parent.type != "class_body":
            kind = place.parent.type
            if kind in FUNCTIONS and kind not in ("arrow_function", "method_definition"):
                return None
            if kind == "object" and place.node.type == "method_definition":
                return None
            place = place.up()
        if place.parent is None:
            return None
        member, declaration = place.node, place.up().up()
        is_own = member.type in ("method_definition", "public_field_definition")
        if not is_own or has_child(member, ["static"]) or not is_of_module(declaration):
            return None
        uses = [use for use in spots_of(self.root, "this") if contains(declaration.node, use.node)]
        # A parameter `this` says what it is, and a test what else it may be.
        if not uses or any(is_parameter(use) or may_be_narrowed(use) for use in uses):
            return None
        name = text_of(declaration.node.child_by_field_name("name"))
        return self.workspace.names_of_type(self._here(name))

    def _names_of(self, receiver: Node) -> Kinds | None:
        """After the dot behind a name."""
        name = text_of(receiver)
        same = spots_of(self.root, name)
        binding = binding_at(same, receiver)
        if binding is None or not binding.is_whole or is_used(self.root, name):
            return None
        by = binding.by.node
        here = self._here(name) if is_of_module(binding.by) else None
        if by.type in (*CLASSES, "enum_declaration", "namespace_import"):
            return self.workspace.names_of(here)
        if any(may_be_narrowed(spot) for spot in same if contains(binding.scope, spot.node)):
            return None
        if by.type in ("import_clause", "import_specifier"):
            return self.workspace.names_of(here)
        type_ = by.child_by_field_name("type")
        if type_ is not None:
            is_told = type_.type == "type_annotation"
            return self._names_of_type(type_.named_children[0]) if is_told else None
        value, statement = by.child_by_field_name("value"), binding.by.parent
        if value is None or statement is None or not has_child(statement, ["const"]):
            return None
        if value.type == "new_expression":
            return self._names_of_made(value.child_by_field_name("constructor"))
        return self.workspace.names_of(here)

    def _names_of_type(self, node: Node | None) -> Kinds | None:
        """What a value has whose type is named, and declared in no function."""
        if node is not None and node.type == "generic_type":
            node = node.child_by_field_name("name")
        if node is None or node.type != "type_identifier":
            return None
        name = text_of(node)
        named = [spot for spot in spots_of(self.root, name) if spot.field in (None, "name")]
        declared = [spot.up() for spot in named if spot.parent is not None]
        if not all(is_of_module(one) for one in declared if one.node.type in TYPES):
            return None
        return self.workspace.names_of_type(self._here(name))

    def _names_of_made(self, constructor: Node | None) -> Kinds | None:
        """What an instance of a class has."""
        if constructor is None or constructor.type != "identifier":
            return None
        name = text_of(constructor)
        binding = binding_at(spots_of(self.root, name), constructor)
        if binding is None or not is_of_module(binding.by):
            return None
        return self.workspace.names_of_type(self._here(name), made=True)

    def _here(self, name: str) -> Found:
        return Found(self.workspace.path, name)


def binding_at(same: Sequence[Spot], place: Node) -> Binding | None:
    """What binds a name at a place, of all the places where the same name stands."""
    bindings = [one for spot in same if (one := binding_of(spot)) is not None]
    return innermost([(one, one.scope) for one in bindings if contains(one.scope, place)])


def binding_of(spot: Spot) -> Binding | None:
    """What binds a name; None where it is read, or is a type."""
    is_whole = True
    while spot.parent is not None and spot.parent.type in PATTERNS:
        if spot.field in ("key", "right"):
            return None
        spot, is_whole = spot.up(), False
    by, field = spot.parent, spot.field
    if by is None or (by.type, field) not in BINDING:
        return None
    if by.type == "import_specifier" and field == "name" and by.child_by_field_name("alias"):
        return None
    scopes = [node for node in spot.above() if node.type in SCOPES]
    if by.type in OUTSIDE:
        scopes = [node for node in scopes if node != by]
    statement = by if by.type == "for_in_statement" else spot.up().parent
    if statement is not None and has_child(statement, ["var"]):
        scopes = [node for node in scopes if node.type in (*FUNCTIONS, "program")]
    return Binding(spot.up(), scopes[0], is_whole) if scopes else None


def may_be_narrowed(spot: Spot) -> bool:
    """Whether code tests what a value is, or has it tested, so that it may have more than its type.

    Whatever it is passed to may do that.
    """
    while spot.parent is not None and spot.parent.type in WRAPPED:
        if spot.parent.type == "assignment_expression" and spot.field == "left":
            return True
        spot = spot.up()
    if spot.parent is None:
        return False
    if spot.parent.type == "binary_expression":
        return has_child(spot.parent, ["instanceof", "in"])
    return spot.parent.type == "arguments" and not is_made_with(spot)


def is_made_with(argument: Spot) -> bool:
    """Whether something is passed to a constructor, which tells nothing of it."""
    call = argument.up().parent
    return call is not None and call.type == "new_expression"


def is_used(root: Node, name: str) -> bool:
    """Whether a `using` declaration, which the grammar does not know, may bind a name."""
    return re.search(rf"\busing\s+{re.escape(name)}\b".encode(), root.text or b"") is not None


def is_parameter(spot: Spot) -> bool:
    return spot.parent is not None and spot.parent.type.endswith("_parameter")


def is_of_module(declaration: Spot) -> bool:
    """Whether something is declared by the module itself, in nothing else."""
    around = [node.type for node in declaration.above()]
    inner = (*AROUND_MODULES, "import_clause", "named_imports", "import_statement")
    return all(kind in inner for kind in around[:-1]) and around[-1:] == ["program"]


def contains(outer: Node, inner: Node) -> bool:
    return outer.start_byte <= inner.start_byte and inner.end_byte <= outer.end_byte
