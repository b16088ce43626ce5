"""Whether the values that jedi finds for an expression are all that it can have.

jedi unites what it can find and is silent about the rest: of `found = None` and later
`found = unknown()` it reports `None` alone. So the same expression is walked once more, and only
what is certain at every step counts: a parameter by its annotation, a call by what is annotated
or returned, an import by what it leads to. This module must not know what is done with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from retrieval.analyst.annotations import annotation_is_certain, last_name
from retrieval.analyst.closed_values import is_from_builtins, is_none
from retrieval.analyst.definitions import (
    caught_by,
    decorator_names,
    is_method,
    is_rebound,
    is_unpacked,
    position_of,
)

DEPTH = 12
LITERALS = frozenset({"number", "string", "strings", "fstring"})
ONE_OF_BOTH = frozenset({"or_test", "and_test"})
OPERATIONS = frozenset({"arith_expr", "term", "expr", "xor_expr", "and_expr", "shift_expr"})
SAME_FUNCTION = frozenset(
    {
        *("staticmethod", "classmethod", "abstractmethod", "override", "final", "overload"),
        *("wraps", "deprecated", "no_type_check", "lru_cache", "cache"),
    }
)
PROPERTIES = frozenset({"property", "cached_property", "abstractproperty", "setter", "getter"})


@dataclass(slots=True)
class Certainty:
    """One walk, which ends in doubt where it goes too deep or too wide."""

    steps: int = 400

    def of(self, context: Any, node: Any, depth: int = DEPTH) -> bool:
        """Whether every value of the expression is among those that jedi infers for it."""
        self.steps -= 1
        if depth <= 0 or self.steps <= 0:
            return False
        kind = node.type
        if kind in LITERALS or kind in ("comparison", "not_test", "lambdef"):
            return True
        if kind == "keyword":
            return node.value in ("None", "True", "False")
        if kind == "name":
            names = context.goto(node, position_of(node))
            return not is_rebound(node, names) and self.of_names(names, depth)
        if kind == "atom":
            return self.of_atom(context, node, depth)
        if kind in ("atom_expr", "power"):
            return self.of_trailers(context, node, depth)
        if kind == "test":  # a if condition else b
            return self.all_of(context, (node.children[0], node.children[-1]), depth)
        if kind in ONE_OF_BOTH:
            return self.all_of(context, node.children[::2], depth)
        if kind in OPERATIONS:
            operands = node.children[::2]
            values = [value for part in operands for value in context.infer_node(part)]
            # Of another class an operator gives what that class says.
            return all(map(is_from_builtins, values)) and self.all_of(context, operands, depth)
        if kind == "factor":
            return self.of(context, node.children[-1], depth - 1)
        if kind == "namedexpr_test":
            return self.of(context, node.children[2], depth - 1)
        return kind in ("testlist_star_expr", "testlist")  # a tuple

    def all_of(self, context: Any, nodes: Iterable[Any], depth: int) -> bool:
        return all(self.of(context, node, depth - 1) for node in nodes)

    def of_atom(self, context: Any, node: Any, depth: int) -> bool:
        first, inside = node.children[0], node.children[1]
        is_tuple = inside == ")" or inside.type == "testlist_comp"
        if first != "(" or is_tuple:
            return True  # a list, a dict, a tuple, a comprehension
        return inside.type != "yield_expr" and self.of(context, inside, depth - 1)

    def of_trailers(self, context: Any, node: Any, depth: int) -> bool:
        """Follow `base.name(...)[...]` step by step."""
        children = list(node.children)
        if children[0] == "await":
            children.pop(0)
        if "**" in children:
            return False
        return self.of_chain(context, children[0], children[1:], depth)

    def of_chain(self, context: Any, base: Any, trailers: list[Any], depth: int = DEPTH) -> bool:
        from jedi.inference.syntax_tree import infer_trailer

        if not self.of(context, base, depth - 1):
            return False
        values = context.infer_node(base)
        for trailer in trailers:
            values = [value for value in values if not is_none(value)]
            if not values:
                return False
            if not all(self.of_step(context, value, trailer, depth) for value in values):
                return False
            values = infer_trailer(context, value_set(values), trailer)
        return True

    def of_step(self, context: Any, value: Any, trailer: Any, depth: int) -> bool:
        sign = trailer.children[0]
        if sign == ".":
            names = value.goto(trailer.children[1], name_context=context)
            return self.of_names(names, depth - 1)
        if sign == "(":
            return self.of_call(value, depth - 1)
        return self.of_item(value, depth - 1)

    def of_names(self, names: list[Any], depth: int) -> bool:
        """Whether each definition that a name may have is certain, and there is one."""
        return bool(names) and all(self.of_name(name, depth - 1) for name in names)

    def of_name(self, name: Any, depth: int) -> bool:
        self.steps -= 1
        if depth <= 0 or self.steps <= 0:
            return False
        node = name.tree_name
        if node is None:
            return True  # a module, or an object of the standard library
        context = name.parent_context
        definition = node.get_definition(import_name_always=True)
        if definition is None:
            return False
        kind = definition.type
        if kind == "classdef":
            return True
        if kind == "funcdef":
            return self.of_function_name(context, definition, depth)
        if kind == "param":
            return self.of_parameter(name, definition, depth)
        if kind == "expr_stmt":
            return self.of_statement(context, node, definition, depth)
        if kind in ("import_name", "import_from"):
            return self.of_import(name, node, depth)
        if kind in ("for_stmt", "sync_comp_for"):
            source = definition.children[3]
            return definition.children[1] is node and self.of_items(context, source, depth)
        if kind == "with_stmt":
            item = node.search_ancestor("with_item")
            return item is not None and self.of_entered(context, item.children[0], depth)
        if kind == "try_stmt":
            return all(context.infer_node(part) for part in caught_by(node))
        if kind == "namedexpr_test":
            return self.of(context, definition.children[2], depth - 1)
        return False

    def of_entered(self, context: Any, node: Any, depth: int) -> bool:
        """What `with` gives: whatever the method returns that enters."""
        if not self.of(context, node, depth - 1):
            return False
        values = context.infer_node(node)
        return bool(values) and all(
            self.of_method(value, "__enter__", depth) or self.of_method(value, "__aenter__", depth)
            for value in values
        )

    def of_method(self, value: Any, name: str, depth: int) -> bool:
        names = value.goto(name) if value.is_instance() else []
        methods = [method for found in names for method in found.infer()]
        return bool(methods) and all(
            gives_itself(value, method.tree_node) or self.of_call(method, depth - 1)
            for method in methods
        )

    def of_statement(self, context: Any, node: Any, statement: Any, depth: int) -> bool:
        targets = statement.get_defined_names()
        second = statement.children[1]
        if second.type == "annassign":
            annotation = second.children[1]
            if annotation.get_code(include_prefix=False).rpartition(".")[2] == "Final":
                return self.of(context, statement.get_rhs(), depth - 1)
            return annotation_is_certain(context, annotation, depth - 1)
        if second != "=" or any(is_unpacked(target) for target in targets if target is node):
            return False
        return self.of(context, statement.get_rhs(), depth - 1)

    def of_import(self, name: Any, node: Any, depth: int) -> bool:
        from jedi.inference.imports import goto_import

        values = name.infer()
        if values and all(value.is_module() for value in values):
            return True
        found = goto_import(name.parent_context, node)
        return bool(found) and all(
            target.api_type in ("module", "namespace") or self.of_name(target, depth - 1)
            for target in found
        )

    def of_parameter(self, name: Any, parameter: Any, depth: int) -> bool:
        function = parameter.get_parent_function()
        if parameter.annotation is not None:
            context = name.parent_context
            return annotation_is_certain(context, parameter.annotation, depth - 1)
        if parameter.star_count:
            return True  # a tuple, a dict
        return parameter.position_index == 0 and is_method(function)

    def of_function_name(self, context: Any, function: Any, depth: int) -> bool:
        """A function stands for itself, a property for what it returns."""
        names = decorator_names(function)
        if any(name in PROPERTIES for name in names):
            return self.of_returned(context, function, depth - 1)
        return all(name in SAME_FUNCTION for name in names)

    def of_call(self, value: Any, depth: int) -> bool:
        if value.is_class():
            return True
        node = value.tree_node
        if node is None:
            return bool(value.is_compiled())
        if node.type == "lambdef":
            return False
        if node.type == "funcdef":
            return self.of_returned(value.get_root_context(), node, depth, value)
        names = value.goto("__call__") if value.is_instance() else []
        return bool(names) and all(self.of_returned_name(name, depth) for name in names)

    def of_returned_name(self, name: Any, depth: int) -> bool:
        node = name.tree_name
        definition = None if node is None else node.get_definition()
        if definition is None or definition.type != "funcdef":
            return False
        return self.of_returned(name.parent_context, definition, depth - 1)

    def of_returned(self, context: Any, function: Any, depth: int, value: Any = None) -> bool:
        """By the annotation, else by each `return`."""
        if function.annotation is not None:
            own = gives_itself(getattr(value, "instance", None), function)
            return own or annotation_is_certain(context, function.annotation, depth - 1)
        if value is None or context.is_stub() or depth <= 0:
            return False
        if function.is_generator() or decorator_names(function):
            return False
        inside = value.as_context()
        returned = [
            statement.children[1]
            for statement in function.iter_return_stmts()
            if statement.type == "return_stmt"
        ]
        return bool(returned) and self.all_of(inside, returned, depth - 1)

    def of_item(self, value: Any, depth: int) -> bool:
        """What brackets give: by the annotation of `__getitem__`, if the container has one."""
        if value.is_class():
            return True
        if has_generics(value) or is_text(value):
            return True
        if is_literal(value):
            return False
        names = value.goto("__getitem__") if value.is_instance() else []
        return bool(names) and all(self.of_returned_name(name, depth) for name in names)

    def of_items(self, context: Any, node: Any, depth: int) -> bool:
        """What a loop gives: certain where the container's annotation says it."""
        if not self.of(context, node, depth - 1):
            return False
        values = context.infer_node(node)
        return bool(values) and all(has_generics(value) or is_text(value) for value in values)


def value_set(values: Iterable[Any]) -> Any:
    from jedi.inference.base_value import ValueSet

    return ValueSet(values)


def gives_itself(value: Any, method: Any) -> bool:
    """Whether a method says that it gives `Self`, and is written in the class of the value."""
    owner = getattr(getattr(value, "class_value", None), "tree_node", None)
    return (
        owner is not None
        and getattr(method, "annotation", None) is not None
        and last_name([method.annotation]) == "Self"
        and method.search_ancestor("classdef") is owner
    )


def has_generics(value: Any) -> bool:
    """Whether an annotation said what the container holds: to a literal, more may be added."""
    return not is_literal(value) and bool(getattr(value.py__class__(), "get_generics", tuple)())


def is_literal(value: Any) -> bool:
    """Whether it is a list or a dictionary as it is written down, or the like."""
    name = type(value).__name__
    return "Literal" in name or "Comprehension" in name


def is_text(value: Any) -> bool:
    return hasattr(value, "py__name__") and value.py__name__() in ("str", "bytes", "range")
