"""Where a name is used, in its file and in others, by what each place with that name means to jedi.

jedi's own search looks for keyword arguments in no other file, knows little of what git ignores,
and stops after some thirty files; here whoever asks says which files are searched.
"""

from collections.abc import Callable, Iterable
from typing import Any

from jedi.inference.references import _dictionarize, _find_defining_names, _find_names

FUNCTIONS = frozenset({"funcdef", "lambdef"})
Modules = Callable[[], Iterable[Any]]


def names_meant(module: Any, leaf: Any) -> dict[Any, Any]:
    """jedi's names for what a leaf of a module means, and for the leaf itself; branches that are
    not taken on this machine count as well, where jedi can do without their analysis."""
    state = module.inference_state
    state.flow_analysis_enabled = False
    names: dict[Any, Any]
    try:
        names = _dictionarize(_find_defining_names(module, leaf))
    except ValueError:
        state.flow_analysis_enabled = True
        names = _dictionarize(_find_defining_names(module, leaf))
    finally:
        state.flow_analysis_enabled = True
    return names


def find_references(module: Any, leaf: Any, others: Modules) -> list[Any]:
    """jedi's names for what the leaf means, wherever that is, and for all that means the same in
    its module, and in the `others` where it may be known there."""
    found = names_meant(module, leaf)
    functions = [function_of(name) for name in found.values()]
    can_be_keyword = any(name.api_type == "param" for name in found.values())

    def may_mean_it(place: Any) -> bool:
        if None in functions:
            return True
        return (can_be_keyword and is_keyword(place)) or any(
            is_within(place, function) for function in functions
        )

    groups = groups_in(module, leaf.value, may_mean_it)
    if None in functions or can_be_keyword:
        for other in others():
            groups += groups_in(other, leaf.value, may_mean_it)
    return list(joined(found, groups).values())


def groups_in(module: Any, name: str, is_asked: Callable[[Any], bool]) -> list[dict[Any, Any]]:
    """For each place of a module where a name stands and that is asked, the names that mean the
    same."""
    leaves = module.tree_node.get_used_names().get(name, [])
    return [_dictionarize(_find_names(module, leaf)) for leaf in leaves if is_asked(leaf)]


def joined(found: dict[Any, Any], groups: list[dict[Any, Any]]) -> dict[Any, Any]:
    """With all groups that have a name in common with what is found, directly or by others: a name
    may be passed on from module to module."""
    joined, left, grows = dict(found), groups, True
    while grows:
        touching = [group for group in left if not joined.keys().isdisjoint(group)]
        left = [group for group in left if joined.keys().isdisjoint(group)]
        for group in touching:
            joined |= group
        grows = bool(touching)
    return joined


def function_of(name: Any) -> Any | None:
    """The function, as jedi's tree has it, that a name belongs to: its parameters and variables.
    None for whatever can be seen elsewhere."""
    leaf = name.tree_name
    if leaf is None or leaf.parent.type in ("trailer", "global_stmt"):
        return None
    if name.api_type == "param":
        return leaf.search_ancestor(*FUNCTIONS)
    if name.api_type != "statement" or leaf.get_definition() is None:
        return None
    scope = name.parent_context.tree_node
    return scope if scope is not None and scope.type in FUNCTIONS else None


def is_within(leaf: Any, node: Any) -> bool:
    """Whether a leaf lies in a node, both of any file."""
    while leaf is not None and leaf is not node:
        leaf = leaf.parent
    return leaf is node


def is_keyword(leaf: Any) -> bool:
    """Whether the leaf is `name` in `f(name=1)`."""
    argument = leaf.parent
    return (
        argument.type == "argument"
        and argument.children[0] is leaf
        and argument.children[1].type == "operator"
        and argument.children[1].value == "="
    )
