"""Whether an annotation says all that a value can be.

jedi drops the parts of a union that it cannot find, and says nothing of `Any`. So an annotation is
certain only if each of its parts is found, and is a type that names something.
"""

from typing import Any

from jedi.inference.gradual.annotation import _get_forward_reference_node
from jedi.inference.gradual.type_var import TypeVar
from jedi.inference.gradual.typing import AnyClass

UNIONS = frozenset({"Union", "Optional"})
WRAPPERS = frozenset({"Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly"})
# `Self` is what it is written in to jedi, and not what inherits it.
SAY_NOTHING = frozenset({"Any", "object", "Incomplete", "Self"})


def annotation_is_certain(context: Any, node: Any, depth: int) -> bool:
    if depth <= 0:
        return False
    if node.type in ("string", "strings"):
        text = context.inference_state.compiled_subprocess.safe_literal_eval(node.get_code())
        inside = _get_forward_reference_node(context, text)
        return inside is not None and annotation_is_certain(context, inside.children[0], depth - 1)
    if node.type == "keyword":
        return bool(node.value == "None")
    if node.type == "expr":  # A | B
        return every_part(context, node.children[::2], depth)
    if node.type == "atom_expr" and node.children[-1].children[0] == "[":
        inside = node.children[-1].children[1]
        parts = inside.children[::2] if inside.type == "subscriptlist" else [inside]
        name = last_name(node.children[:-1])
        if name in UNIONS:
            return every_part(context, parts, depth)
        if name in WRAPPERS:
            return annotation_is_certain(context, parts[0], depth - 1)
        return bool(context.infer_node(node))
    if last_name([node]) in SAY_NOTHING:
        return False
    values = context.infer_node(node)
    return bool(values) and not any(isinstance(value, AnyClass) for value in values)


def every_part(context: Any, parts: list[Any], depth: int) -> bool:
    """Of a union, where a type variable may vanish without a trace."""
    return all(
        not is_type_variable(context, part) and annotation_is_certain(context, part, depth - 1)
        for part in parts
    )


def last_name(nodes: list[Any]) -> str:
    """`Optional` of `typing.Optional`."""
    code = "".join(str(node.get_code(include_prefix=False)) for node in nodes)
    return code.rpartition(".")[2]


def is_type_variable(context: Any, node: Any) -> bool:
    return node.type == "name" and any(
        isinstance(value, TypeVar) for value in context.infer_node(node)
    )
