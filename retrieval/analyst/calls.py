"""What a call takes, of all the signatures that jedi finds for it."""

from collections.abc import Sequence
from dataclasses import replace
from inspect import Parameter
from typing import Any

from jedi.parser_utils import get_parent_scope

from retrieval.analyst.certainty import SAME_FUNCTION
from retrieval.analyst.closed_values import ATTRS, class_is_closed
from retrieval.analyst.definitions import decorator_names
from retrieval.analyst.listing import has_metaclass
from retrieval.analyst.questions import Answer, CallShape


def call(signatures: Sequence[Any], *, is_certain: bool) -> Answer | None:
    """What can be given to the call that has these signatures, where it `is_certain` what it is."""
    if not signatures:
        return None
    shape = CallShape(frozenset(), 0, any_keyword=False, any_positional=False)
    for signature in signatures:
        shape = widened(shape, signature.params)
    callees = {signature._signature.value for signature in signatures}
    # jedi goes after `**kwargs` to what they are given to; they may be used otherwise before.
    shape = replace(shape, any_keyword=shape.any_keyword or any(map(takes_any_keyword, callees)))
    is_partial = any("Partial" in type(signature._signature).__name__ for signature in signatures)
    complete = is_certain and not is_partial and all(map(takes_what_it_says, callees))
    return Answer(shape.keywords, complete, shape)


def widened(shape: CallShape, parameters: Sequence[Any]) -> CallShape:
    kinds = [parameter.kind for parameter in parameters]
    named = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    placed = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.POSITIONAL_ONLY)
    return CallShape(
        shape.keywords | {p.name for p in parameters if p.kind in named},
        max(shape.positional, sum(kind in placed for kind in kinds)),
        shape.any_keyword or Parameter.VAR_KEYWORD in kinds,
        shape.any_positional or Parameter.VAR_POSITIONAL in kinds,
    )


def takes_what_it_says(value: Any) -> bool:
    """Whether the signature that jedi shows is what really is called."""
    if value.is_class():
        return class_is_closed(value) and not has_metaclass(value) and is_made_plainly(value)
    node = value.tree_node
    if node is None:
        return bool(value.is_compiled())
    return (
        node.type == "funcdef"
        and is_defined_once(node)
        and all(n in SAME_FUNCTION for n in decorator_names(node))
    )


def takes_any_keyword(value: Any) -> bool:
    """Whether what is called has `**kwargs` itself."""
    names = value.py__getattribute__("__init__") if value.is_class() else [value]
    nodes = (getattr(name, "tree_node", None) for name in names)
    return any(
        parameter.star_count == 2
        for node in nodes
        if node is not None and node.type == "funcdef"
        for parameter in node.get_params()
    )


def is_made_plainly(cls: Any) -> bool:
    """Whether it is its `__init__` alone that says what an instance is made of.

    Not so with `__new__`, attrs, whose names lose what they begin with, or a dataclass that has an
    `__init__` of its own.
    """
    for part in cls.py__mro__():
        node = None if part.is_compiled() else part.tree_node
        if node is None or part.get_root_context().is_builtins_module():
            continue
        own = {function.name.value for function in node.iter_funcdefs()}
        decorators = decorator_names(node)
        if "__new__" in own or not ATTRS.isdisjoint(decorators):
            return False
        if decorators and "__init__" in own:
            return False
    return True


def is_defined_once(function: Any) -> bool:
    """Whether nothing else of its name is bound around it, and nothing is stored under it."""
    scope = get_parent_scope(function)
    for name in function.get_root_node().get_used_names().get(function.name.value, ()):
        if name.parent.type == "global_stmt":
            return False
        if name is function.name or not name.is_definition(include_setitem=True):
            continue
        definition = name.get_definition()
        overloads = definition.type == "funcdef" and "overload" in decorator_names(definition)
        if not overloads and (name.parent.type == "trailer" or get_parent_scope(name) is scope):
            return False
    return True
