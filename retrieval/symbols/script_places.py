"""What a name at a place in TypeScript or JavaScript may be.

A receiver is a name, or `this`. What it stands for is read off the binding that is in scope there:
an import, a declaration of the module, or a variable or parameter whose type is written beside it
or that is made with `new`. Where it is bound twice, or the code may have narrowed its type, nothing
is said.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tree_sitter import Language, Node

from retrieval.symbols.grammars import above, captured, field_of, has_child, text_of
from retrieval.symbols.script_modules import CLASSES, source_of
from retrieval.symbols.script_workspace import Found, ScriptWorkspace

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
IMPORTS = ("import_clause", "namespace_import", "import_specifier")
# What may tell more of a value than its type says.
TELLING = re.compile(r"(?:assert|ensure|invariant|check|require|expect|is|has)(?![a-z])")
TYPES = """[(class_declaration name: (_) @name) (abstract_class_declaration name: (_) @name)
    (interface_declaration name: (_) @name) (type_alias_declaration name: (_) @name)
    (enum_declaration name: (_) @name) (type_parameter name: (_) @name)
    (infer_type (type_identifier) @name)]"""
NAMED = "[(identifier) (shorthand_property_identifier_pattern) (type_identifier)] @name"


@dataclass(frozen=True, slots=True)
class Binding:
    """A name that is bound, the statement or parameter that binds it, and where it is in scope."""

    name: Node
    by: Node
    scope: Node
    is_whole: bool  # and not taken out of a pattern


@dataclass(frozen=True, slots=True)
class ScriptPlaces:
    """Of a module whose tree is at hand, in a workspace."""

    root: Node
    grammar: Language
    workspace: ScriptWorkspace

    def names_at(self, place: int) -> frozenset[str] | None:
        """Those that may stand where a name begins; None where any may, as far as is known."""
        node = self.root.descendant_for_byte_range(place, place + 1)
        if node is None or node.parent is None:
            return None
        parent, field = node.parent, field_of(node)
        if parent.type in ("import_specifier", "export_specifier") and field == "name":
            return self._exported_beside(node)
        if parent.type == "nested_type_identifier":
            receiver = parent.child_by_field_name("module")
        elif parent.type == "member_expression" and field == "property":
            receiver = parent.child_by_field_name("object")
        else:
            return None
        if receiver is not None and receiver.type == "non_null_expression":
            receiver = receiver.named_children[0]
        if receiver is None or receiver == node:
            return None
        if receiver.type == "this":
            return self._names_of_this(receiver)
        return self._names_of(receiver) if receiver.type == "identifier" else None

    def _exported_beside(self, specifier: Node) -> frozenset[str] | None:
        """What the module exports that an import or export statement names."""
        statement = next((one for one in above(specifier) if one.type.endswith("_statement")), None)
        source = source_of(statement) if statement is not None else ""
        return self.workspace.exported(self.workspace.find_module(source, self.workspace.path))

    def _names_of_this(self, receiver: Node) -> frozenset[str] | None:
        """In a method of a class that the module declares, or in the value of one of its fields."""
        inner = receiver
        for node in above(receiver):
            if node.type == "class_body":
                is_own = inner.type in ("method_definition", "public_field_definition")
                declaration = node.parent
                if not is_own or has_child(inner, ["static"]) or not is_of_module(declaration):
                    return None
                assert declaration is not None
                name = text_of(declaration.child_by_field_name("name"))
                return self.workspace.names_of_type(self._here(name))
            if node.type in FUNCTIONS and node.type not in ("arrow_function", "method_definition"):
                return None
            if node.type == "object" and inner.type == "method_definition":
                return None
            inner = node
        return None

    def _names_of(self, receiver: Node) -> frozenset[str] | None:
        """After the dot behind a name."""
        name = text_of(receiver)
        same = [one for one in captured(self.root, self.grammar, NAMED) if text_of(one) == name]
        bindings = [one for node in same if (one := binding_of(node)) is not None]
        nearest = innermost([one for one in bindings if contains(one.scope, receiver)])
        if len(nearest) != 1 or not nearest[0].is_whole:
            return None
        [binding] = nearest
        if binding.by.type in IMPORTS:
            return self.workspace.names_of(self._here(name))
        if binding.by.type in (*CLASSES, "enum_declaration"):
            found = self._here(name) if is_of_module(binding.by) else None
            return self.workspace.names_of(found)
        if any(may_be_narrowed(node) for node in same if contains(binding.scope, node)):
            return None
        type_ = binding.by.child_by_field_name("type")
        if type_ is not None:
            is_told = type_.type == "type_annotation"
            return self._names_of_type(type_.named_children[0]) if is_told else None
        value = binding.by.child_by_field_name("value")
        if (
            value is None
            or binding.by.parent is None
            or not has_child(binding.by.parent, ["const"])
        ):
            return None
        if value.type == "new_expression":
            return self._names_of_type(value.child_by_field_name("constructor"))
        found = self._here(name) if is_of_module(binding.by) else None
        return self.workspace.names_of(found)

    def _names_of_type(self, node: Node | None) -> frozenset[str] | None:
        """What a value has whose type or class is named, and declared in no function."""
        if node is not None and node.type == "generic_type":
            node = node.child_by_field_name("name")
        if node is None or node.type not in ("type_identifier", "identifier"):
            return None
        name = text_of(node)
        declared = [one for one in captured(self.root, self.grammar, TYPES) if text_of(one) == name]
        if not all(is_of_module(one.parent) for one in declared):
            return None
        return self.workspace.names_of_type(self._here(name))

    def _here(self, name: str) -> Found:
        return Found(self.workspace.path, name)


def innermost(bindings: Sequence[Binding]) -> list[Binding]:
    """Those in the smallest of all their scopes."""
    sizes = [one.scope.end_byte - one.scope.start_byte for one in bindings]
    return [one for one, size in zip(bindings, sizes, strict=True) if size == min(sizes)]


def binding_of(node: Node) -> Binding | None:
    """What binds a name; None where it is read, or is a type."""
    is_whole, name = True, node
    while node.parent is not None and node.parent.type in PATTERNS:
        if field_of(node) in ("key", "right"):
            return None
        node, is_whole = node.parent, False
    if node.parent is None or (node.parent.type, field_of(node)) not in BINDING:
        return None
    by = node.parent
    if (
        by.type == "import_specifier"
        and field_of(node) == "name"
        and by.child_by_field_name("alias")
    ):
        return None
    is_hoisted = by.parent is not None and by.parent.type == "variable_declaration"
    scopes = [one for one in above(node) if one.type in SCOPES]
    if by.type in OUTSIDE:
        scopes = [one for one in scopes if one != by]
    if is_hoisted:
        scopes = [one for one in scopes if one.type in (*FUNCTIONS, "program")]
    return Binding(name, by, scopes[0], is_whole) if scopes else None


def may_be_narrowed(node: Node) -> bool:
    """Whether code tests what a value is, so that it may have more than its type."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "binary_expression":
        return has_child(parent, ["instanceof", "in"])
    if parent.type != "arguments" or parent.parent is None:
        return False
    call = parent.parent
    called = text_of(call.child_by_field_name("function")).rsplit(".", 1)[-1]
    if TELLING.match(called):
        return True
    inner = call
    for outer in above(call):
        if outer.type in ("if_statement", "while_statement", "ternary_expression"):
            return field_of(inner) == "condition"
        if outer.type.endswith(("_statement", "_block", "_declaration")):
            return False
        if outer.type == "binary_expression" and has_child(outer, ["&&", "||"]):
            return True
        inner = outer
    return False


def is_of_module(declaration: Node | None) -> bool:
    """Whether something is declared by the module itself, in nothing else."""
    around = [node.type for node in above(declaration)] if declaration is not None else []
    inner = ("export_statement", "ambient_declaration", "lexical_declaration")
    return all(kind in inner for kind in around[:-1]) and around[-1:] == ["program"]


def contains(outer: Node, inner: Node) -> bool:
    return outer.start_byte <= inner.start_byte and inner.end_byte <= outer.end_byte
