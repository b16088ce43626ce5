"""What a name at a place in Go may be.

Before the dot stands a package of the same module, or a variable whose type is written where it is
bound, or that is made by a literal of one.
"""

from tree_sitter import Node

from retrieval.symbols.go_packages import TYPES, GoWorkspace, is_of_package, type_name
from retrieval.symbols.grammars import GO, above, captured, field_of, text_of

SCOPES = (
    *("source_file", "block", "function_declaration", "method_declaration", "func_literal"),
    *("if_statement", "for_statement", "expression_switch_statement", "type_switch_statement"),
    *("select_statement", "expression_case", "type_case", "default_case", "communication_case"),
    "function_type",
)
LISTS = frozenset(
    {
        *(("short_var_declaration", "left"), ("range_clause", "left")),
        *(("type_switch_statement", "alias"), ("receive_statement", "left")),
    }
)
BINDING = frozenset(
    {
        *(("var_spec", "name"), ("const_spec", "name"), ("parameter_declaration", "name")),
        *(("variadic_parameter_declaration", "name"), ("function_declaration", "name")),
    }
)
PARAMETERS = "(type_parameter_declaration name: (_) @name)"


def names_at(root: Node, place: int, workspace: GoWorkspace) -> frozenset[str] | None:
    """Those that may stand where a name begins; None where any may, as far as is known."""
    node = root.descendant_for_byte_range(place, place + 1)
    if node is None or node.parent is None:
        return None
    parent = node.parent
    if parent.type == "qualified_type" and field_of(node) == "name":
        return workspace.exported(text_of(parent.child_by_field_name("package")))
    if parent.type != "selector_expression" or field_of(node) != "field":
        return None
    receiver = parent.child_by_field_name("operand")
    if receiver is None or receiver.type != "identifier":
        return None
    name = text_of(receiver)
    same = [one for one in captured(root, GO, "(identifier) @name") if text_of(one) == name]
    bindings = [(one, scope_of(one, receiver)) for one in same]
    inside = [(one, scope) for one, scope in bindings if scope is not None]
    if not inside:
        return workspace.exported(name)
    smallest = min(scope.end_byte - scope.start_byte for _, scope in inside)
    nearest = [one for one, scope in inside if scope.end_byte - scope.start_byte == smallest]
    type_ = type_of(nearest[0]) if len(nearest) == 1 else None
    if type_ is None:
        return None
    local = [one for one in captured(root, GO, TYPES) if not is_of_package(one)]
    local += captured(root, GO, PARAMETERS)
    if any(text_of(one) == type_ for one in local):
        return None
    return workspace.names_of_type(type_)


def statement_of(node: Node) -> Node | None:
    """What binds a name; None where it is read."""
    parent = node.parent
    if parent is None:
        return None
    if (parent.type, field_of(node)) in BINDING:
        return parent
    if parent.type == "expression_list" and parent.parent is not None:
        return parent.parent if (parent.parent.type, field_of(parent)) in LISTS else None
    return None


def scope_of(node: Node, receiver: Node) -> Node | None:
    """The scope that a name is bound in, if `receiver` may stand for what is bound there."""
    statement = statement_of(node)
    if statement is None:
        return None
    scope = next((one for one in above(statement) if one.type in SCOPES), None)
    if scope is None or not scope.start_byte <= receiver.start_byte < scope.end_byte:
        return None
    # What is bound by a statement is known behind it, in a package's file everywhere.
    is_later = receiver.start_byte < statement.end_byte
    if is_later and statement.type in ("short_var_declaration", "var_spec", "range_clause"):
        return scope if scope.type == "source_file" else None
    return scope


def type_of(node: Node) -> str | None:
    """The name of the type of what is bound, where it is written there."""
    statement = statement_of(node)
    if statement is None:
        return None
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
    value = right.named_children[names.index(node)]
    if value.type == "unary_expression" and text_of(value.child_by_field_name("operator")) == "&":
        value = value.child_by_field_name("operand") or value
    return (
        type_name(value.child_by_field_name("type")) if value.type == "composite_literal" else None
    )
