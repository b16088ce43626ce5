"""How a name is bound and a function defined, read from the syntax tree alone.

This module must not know values: what jedi finds for a name is the matter of `certainty`.
"""

from typing import Any

from retrieval.analyst.declared import decorator_name


def position_of(name: Any) -> Any:
    """Up to where definitions count for a name that is read: its own statement is not over."""
    statement = name.search_ancestor("expr_stmt", "lambdef")
    if statement is None or statement.type == "lambdef":
        return name.start_pos
    return statement.start_pos


def caught_by(name: Any) -> list[Any]:
    """The exceptions of the clause that binds the name."""
    clause = name.search_ancestor("except_clause")
    if clause is None:
        return []
    caught = clause.children[1]
    inside = caught.children[1] if caught.type == "atom" else caught
    return list(inside.children[::2]) if inside.type == "testlist_comp" else [inside]


def is_rebound(node: Any, found: list[Any]) -> bool:
    """Whether a comprehension around the name binds it, and jedi found another of that name."""
    inside = node.parent
    while inside is not None and inside.type not in ("suite", "file_input"):
        for child in inside.children:
            if child.type not in ("comp_for", "sync_comp_for"):
                continue
            loop = child if child.type == "sync_comp_for" else child.children[-1]
            for bound in loop.get_defined_names():
                if bound.value == node.value and bound is not node:
                    return all(name.tree_name is not bound for name in found)
        inside = inside.parent
    return False


def is_unpacked(target: Any) -> bool:
    """Whether the name is one of several targets, as in `a, b = f()`."""
    return target.search_ancestor(
        "testlist_star_expr", "testlist", "exprlist", "testlist_comp", "atom"
    ) is not None and target.parent.type not in ("trailer",)


def is_method(function: Any) -> bool:
    scope = function.parent
    while scope is not None and scope.type in ("suite", "decorated", "async_funcdef", "async_stmt"):
        scope = scope.parent
    if scope is None or scope.type != "classdef":
        return function.type == "funcdef" and is_in_class_branch(function)
    return "staticmethod" not in decorator_names(function)


def is_in_class_branch(function: Any) -> bool:
    """A method below `if` or `try` in a class body."""
    scope = function.search_ancestor("funcdef", "classdef", "lambdef")
    return scope is not None and scope.type == "classdef"


def decorator_names(decorated: Any) -> list[str]:
    """Of a function or a class."""
    return [decorator_name(decorator) for decorator in decorated.get_decorators()]
