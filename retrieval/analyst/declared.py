"""What code tells type checkers about the attributes that it makes by name.

A library that computes attributes mostly declares them too. What it hides from type checkers is
not to be relied on; a dataclass transform (PEP 681) fills the fields that a class declares; the
methods of the pickle protocol bring back what was there; a decorator that returns the type it is
given leaves it as it is. This module must not know what else a class may be open through.
"""

import re
from typing import Any

from jedi.inference.syntax_tree import infer_trailer

CHECKING = frozenset({"TYPE_CHECKING", "typing.TYPE_CHECKING"})
TRANSFORM = "dataclass_transform"
# They keep or bring back what a whole object has.
PICKLING = frozenset({"__getstate__", "__setstate__", "__reduce__", "__reduce_ex__"})
PICKLING |= {"__copy__", "__deepcopy__"}
# What a function of functions takes and returns, each a name or the `type` of one.
TAKES_AND_GIVES = re.compile(
    r"(?:\w+\.)*Callable\[\[(?P<takes>[\w\[\]]+)\], ?(?P<gives>[\w\[\]]+)\]"
)
# In the body of a decorator: the class that it gives has more than it was given.
STORES = re.compile(r"\bsetattr\(|\b\w+\.(?!__)\w+[ \t]*=(?!=)")
TYPE_OF = re.compile(r"[tT]ype\[(\w+)\]")


def is_hidden(node: Any) -> bool:
    """Whether type checkers do not see it: it stands under `if not TYPE_CHECKING`."""
    branch = node.search_ancestor("if_stmt")
    while branch is not None:
        condition, shown_first = code_of(branch.children[1]), branch.children[3]
        in_first = shown_first.start_pos <= node.start_pos < shown_first.end_pos
        if condition.removeprefix("not ") in CHECKING and in_first is condition.startswith("not "):
            return True
        branch = branch.search_ancestor("if_stmt")
    return False


def brings_back(name: Any) -> bool:
    """Whether it stands in a method that saves an object or restores one."""
    function = name.search_ancestor("funcdef")
    return function is not None and function.name.value in PICKLING


def is_of_subclasses(name: Any) -> bool:
    """Whether it stands in the method that changes whatever inherits from its class."""
    function = name.search_ancestor("funcdef")
    return function is not None and function.name.value == "__init_subclass__"


def is_transform(context: Any, node: Any, metaclass: Any) -> bool:
    """Whether a class, or the expression for its `metaclass` if it has one, is marked as such."""
    marked = [node]
    if metaclass is not None:
        marked += [value.tree_node for value in context.infer_node(metaclass) if value.is_class()]
    return any(
        decorator_name(decorator) == TRANSFORM
        for cls in marked
        if cls is not None
        for decorator in cls.get_decorators()
    )


def keeps_the_type(context: Any, decorator: Any) -> bool:
    """Whether the annotations of a decorator say that it gives the type that it is given."""
    expression = decorator.children[1]
    name, *trailers = expression.children if expression.type == "atom_expr" else [expression]
    is_made = bool(trailers) and trailers[-1].children[0] == "("
    functions = context.infer_node(name)
    for trailer in trailers[:-1] if is_made else trailers:
        functions = infer_trailer(context, functions, trailer)
    return bool(functions) and all(gives_what_it_takes(one, is_made) for one in functions)


def gives_what_it_takes(function: Any, is_made: bool) -> bool:
    """Whether a decorator does, or the one that is made by calling this."""
    node = function.tree_node
    if node is None or node.type != "funcdef" or node.annotation is None:
        return False
    if STORES.search(code_of(node.children[-1])):
        return False
    gives = code_of(node.annotation)
    if is_made:
        made = TAKES_AND_GIVES.fullmatch(gives)
        if made is None:
            return False
        takes, gives = made["takes"], made["gives"]
    else:
        first = node.get_params()[:1]
        takes = code_of(first[0].annotation) if first and first[0].annotation else ""
    names = {TYPE_OF.sub(r"\1", part) for part in (takes, gives)}
    return len(names) == 1 and is_type_variable(function, names.pop())


def is_type_variable(function: Any, name: str) -> bool:
    found = function.get_root_context().py__getattribute__(name)
    return bool(found) and all(type(value).__name__ == "TypeVar" for value in found)


def decorator_name(decorator: Any) -> str:
    """`dataclass` of `@dataclasses.dataclass(frozen=True)`."""
    code = code_of(decorator.children[1])
    return code.partition("(")[0].strip().rpartition(".")[2]


def code_of(node: Any) -> str:
    return str(node.get_code(include_prefix=False))
