"""What a name at a place in Go may be.

Before the dot stands a package of the same module, or a variable whose type is written where it is
bound, or that is made by a literal of one.
"""

from tree_sitter import Node

from retrieval.grammars import GO
from retrieval.index.declarations import Kinds
from retrieval.symbols.go_packages import GoWorkspace, type_name
from retrieval.trees import Spot, captured, innermost, spots, spots_of, text_of

SCOPES = (
    *("source_file", "block", "function_declaration", "method_declaration", "func_literal"),
    *("if_statement", "for_statement", "expression_switch_statement", "type_switch_statement"),
    *("select_statement", "expression_case", "type_case", "default_case", "communication_case"),
    *("function_type", "method_elem"),
)
LISTS = frozenset(
    {
        *(("short_var_declaration", "left"), ("range_clause", "left")),
        *(("type_switch_statement", "alias"), ("receive_statement", "left")),
    }
)
BINDING = frozenset(
    {
        *(("var_spec", "name"), ("const_spec", "name"), ("const_spec", None)),
        *(("parameter_declaration", "name"), ("variadic_parameter_declaration", "name")),
        ("function_declaration", "name"),
    }
)
STATEMENTS = ("short_var_declaration", "var_spec", "const_spec", "range_clause")
TYPES = ("type_spec", "type_alias", "type_parameter_declaration")
ARGUMENTS = "(method_declaration receiver: (_ (_ type: (_ (type_arguments) @name))))"
OF_POINTER = "(method_declaration receiver: (_ (_ type: (_ (_ (type_arguments) @name)))))"


def names_at(root: Node, place: int, workspace: GoWorkspace) -> Kinds | None:
    """Those that may stand where a name begins; None where any may, as far as is known."""
    found = spots(root, [place])
    parent = found[0].parent if found else None
    if parent is None:
        return None
    if parent.type == "qualified_type" and found[0].field == "name":
        return workspace.exported(text_of(parent.child_by_field_name("package")))
    if parent.type != "selector_expression" or found[0].field != "field":
        return None
    receiver = parent.child_by_field_name("operand")
    if receiver is None or receiver.type != "identifier":
        return None
    name = text_of(receiver)
    same = spots_of(root, name)
    if not same or is_local_type(root, same):
        return None
    scopes = [(spot, scope) for spot in same if (scope := scope_of(spot, receiver)) is not None]
    if not scopes:
        return workspace.exported(name)
    nearest = innermost(scopes)
    type_ = type_of(nearest) if nearest is not None else None
    if type_ is None or is_local_type(root, spots_of(root, type_)):
        return None
    return workspace.names_of_type(type_)


def is_local_type(root: Node, same: list[Spot]) -> bool:
    """Whether a name is that of a type which a function or a method's receiver declares."""
    names = {text_of(spot.node) for spot in same}
    arguments = [*captured(root, GO, ARGUMENTS), *captured(root, GO, OF_POINTER)]
    if any(text_of(part) in names for node in arguments for part in leaves(node)):
        return True
    declared = [spot for spot in same if spot.parent is not None and spot.parent.type in TYPES]
    return any(len(spot.around) > 3 for spot in declared if spot.field == "name")


def leaves(node: Node) -> list[Node]:
    inside = [leaf for child in node.named_children for leaf in leaves(child)]
    return inside or [node]


def binding_of(spot: Spot) -> Spot | None:
    """What binds a name; None where it is read."""
    if spot.parent is None:
        return None
    if (spot.parent.type, spot.field) in BINDING:
        return spot.up()
    listed = spot.up()
    if listed.node.type != "expression_list" or listed.parent is None:
        return None
    return listed.up() if (listed.parent.type, listed.field) in LISTS else None


def scope_of(spot: Spot, receiver: Node) -> Node | None:
    """The scope that a name is bound in, if `receiver` may stand for what is bound there."""
    by = binding_of(spot)
    if by is None:
        return None
    scope = next((node for node in by.above() if node.type in SCOPES), None)
    if scope is None or not scope.start_byte <= receiver.start_byte < scope.end_byte:
        return None
    # What is bound by a statement is known behind it, in a package's file everywhere.
    is_later = receiver.start_byte < by.node.end_byte
    if is_later and by.node.type in STATEMENTS:
        return scope if scope.type == "source_file" else None
    return scope


def type_of(spot: Spot) -> str | None:
    """The name of the type of what is bound, where it is written there."""
    by = binding_of(spot)
    if by is None:
        return None
    statement = by.node
    if (written := statement.child_by_field_name("type")) is not None:
        return None if statement.type.startswith("variadic") else type_name(written)
    if statement.type == "short_var_declaration":
        left, right = (statement.child_by_field_name(side) for side in ("left", "right"))
    elif statement.type == "var_spec":
        left, right = statement, statement.child_by_field_name("value")
    else:
        return None
    if left is None or right is None:
        return None
    names = left.children_by_field_name("name") or left.named_children
    if len(names) != len(right.named_children):
        return None
    value = right.named_children[names.index(spot.node)]
    if value.type == "unary_expression" and text_of(value.child_by_field_name("operator")) == "&":
        value = value.child_by_field_name("operand") or value
    is_literal = value.type == "composite_literal"
    return type_name(value.child_by_field_name("type")) if is_literal else None
