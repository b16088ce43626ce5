"""What a call takes, of all the signatures that jedi finds for it."""

from collections.abc import Sequence
from inspect import Parameter
from typing import Any

from retrieval.analyst.certainty import SAME_FUNCTION
from retrieval.analyst.closed_values import class_is_closed
from retrieval.analyst.definitions import decorator_names
from retrieval.analyst.listing import has_metaclass
from retrieval.analyst.questions import Answer, CallShape


def call(signatures: Sequence[Any]) -> Answer | None:
    """What can be given to the call that has these signatures."""
    if not signatures:
        return None
    shape = CallShape(frozenset(), 0, any_keyword=False, any_positional=False)
    for signature in signatures:
        shape = widened(shape, signature.params)
    callees = {signature._signature.value for signature in signatures}
    complete = all(map(takes_what_it_says, callees))
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
        return class_is_closed(value) and not has_metaclass(value)
    node = value.tree_node
    if node is None:
        return bool(value.is_compiled())
    return node.type == "funcdef" and all(name in SAME_FUNCTION for name in decorator_names(node))
