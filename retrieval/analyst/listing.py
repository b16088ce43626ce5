"""The names that values have, read from class bodies.

jedi lists the attributes of a value by going over every name of a module once for each class in
the order of inheritance, which for a plain `str` is a quarter of a second. Here each class body is
walked once, and those of stub files are remembered. Whatever is not made of plain classes is left
to jedi.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from jedi.api.completion import complete_trailer
from jedi.inference.gradual.conversion import convert_values

from retrieval.analyst.closed_values import is_named_tuple, is_nameless

# jedi's values that have the attributes of their class and no others.
PLAIN_VALUES = frozenset(
    {
        *("TreeInstance", "AnonymousInstance", "_GenericInstanceWrapper", "ExactValue"),
        *("SequenceLiteralValue", "DictLiteralValue", "ListComprehension", "SetComprehension"),
        *("DictComprehension", "ClassValue", "DataclassWrapper", "GenericClass", "CompiledValue"),
        *("FakeTuple", "FakeList", "FakeDict", "CompiledInstance"),
    }
)
MOST_REMEMBERED = 4096
SLOT = re.compile(r"""["']([^\W\d]\w*)["']""")
SCOPES = frozenset({"funcdef", "classdef", "lambdef"})


class Listing:
    """Lists names; keeps those of classes in stub files, which nobody edits meanwhile."""

    def __init__(self) -> None:
        self._remembered: dict[tuple[str, Any, Any], frozenset[str]] = {}

    def of_values(self, state: Any, user: Any, leaf: Any, values: Any) -> frozenset[str]:
        """The names of all the values, for somebody whose code is at `leaf`.

        Branches that are not taken on this machine count as well: jedi's analysis of branches is
        off meanwhile, except where one of its plugins cannot do without.
        """
        state.flow_analysis_enabled = False
        try:
            found: set[str] = set()
            others = []
            for value in {*values, *convert_values(values)}:
                names = self.of_plain(value, leaf)
                if names is None:
                    others.append(value)
                else:
                    found |= names
                if value.is_class():
                    found |= self.of_metaclasses(value, leaf)
            if others:
                found |= listed_by_jedi(state, user, type(values)(others))
        finally:
            state.flow_analysis_enabled = True
        if any(map(is_named_tuple, values)):  # of which a stub knows the fields alone
            found |= set(dir(tuple))
        return frozenset(found)

    def of_plain(self, value: Any, leaf: Any) -> set[str] | None:
        """The names of a plain value; None for whatever jedi has its own rules for."""
        if type(value).__name__ not in PLAIN_VALUES or not hasattr(value, "py__class__"):
            return None
        kind = value if value.is_class() else value.py__class__()
        if not hasattr(kind, "py__mro__") or (value.is_class() and has_metaclass(kind)):
            return None
        parts = list(kind.py__mro__())
        if value.is_class():
            parts += builtin_class(value, "type").py__mro__()
        found: set[str] = set()
        for part in parts:
            if part.is_compiled():
                found |= {name.string_name for f in part.get_filters() for name in f.values()}
            elif part.tree_node is not None and part.tree_node.type == "classdef":
                found.update(self.of_class(part, leaf))
            elif not is_nameless(part):
                return None
        return found

    def of_metaclasses(self, cls: Any, leaf: Any) -> set[str]:
        """What a class has besides what its instances have."""
        metaclasses = cls.get_metaclasses() if hasattr(cls, "get_metaclasses") else ()
        return {
            name
            for metaclass in metaclasses
            if hasattr(metaclass, "py__mro__")
            for part in metaclass.py__mro__()
            if not part.is_compiled() and part.tree_node is not None
            for name in self.of_class(part, leaf)
        }

    def of_class(self, cls: Any, leaf: Any) -> Iterable[str]:
        """What the class's own body defines, and its methods assign to `self`."""
        node = cls.tree_node
        root = cls.get_root_context()
        if not root.is_stub():
            inside = is_inside(leaf, node)
            return (name for name in names_of_body(node) if inside or not is_mangled(name))
        key = (str(root.py__file__()), node.start_pos, node.get_root_node().end_pos)
        if (known := self._remembered.get(key)) is None:
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            known = self._remembered[key] = frozenset(names_of_body(node))
        return known


def listed_by_jedi(state: Any, user: Any, values: Any) -> set[str]:
    try:
        return {name.string_name for name in complete_trailer(user, values)}
    except ValueError:
        state.flow_analysis_enabled = True
        return {name.string_name for name in complete_trailer(user, values)}


def has_metaclass(cls: Any) -> bool:
    """One that adds names; what `ABCMeta` adds is nobody's business."""
    find = getattr(cls, "get_metaclasses", None)
    return find is not None and any(
        not hasattr(meta, "py__name__") or meta.py__name__() != "ABCMeta" for meta in find()
    )


def builtin_class(value: Any, name: str) -> Any:
    from jedi.inference.compiled import builtin_from_name

    return builtin_from_name(value.inference_state, name)


def names_of_body(node: Any) -> Iterator[str]:
    """Names bound in a class body, and attributes that its methods bind on their first argument."""
    for leaf in bound_in(node.children[-1]):
        yield leaf.value
        if leaf.value == "__slots__":
            statement = leaf.search_ancestor("expr_stmt")
            yield from SLOT.findall(statement.get_code() if statement else "")
    used = node.get_root_node().get_used_names()
    for function in functions_in(node.children[-1]):
        parameters = function.get_params()
        if parameters:
            first = parameters[0].name.value
            for receiver in used.get(first, ()):
                attribute = attribute_bound(receiver)
                if attribute is not None and is_within(receiver, function):
                    yield attribute


def attribute_bound(receiver: Any) -> str | None:
    """`x` of `self.x` wherever that is a target: assigned, looped over, unpacked into."""
    trailer = receiver.get_next_sibling()
    if trailer is None or trailer.type != "trailer" or trailer.children[0] != ".":
        return None
    if trailer.parent.children[0] is not receiver or trailer.get_next_sibling() is not None:
        return None
    name = trailer.children[1]
    return str(name.value) if name.is_definition() else None


def bound_in(node: Any) -> Iterator[Any]:
    """The names that a suite binds in its own scope, branches and loops included."""
    if node.type == "name":
        if node.parent.type != "trailer" and node.is_definition(include_setitem=False):
            yield node
    elif node.type in ("funcdef", "classdef"):
        yield node.name
    elif hasattr(node, "children") and node.type != "lambdef":
        for child in node.children:
            yield from bound_in(child)


def functions_in(node: Any) -> Iterator[Any]:
    """The methods of a class body, with those in its branches."""
    if node.type == "funcdef":
        yield node
    elif hasattr(node, "children") and node.type not in SCOPES:
        for child in node.children:
            yield from functions_in(child)


def is_inside(leaf: Any, node: Any) -> bool:
    return leaf.get_root_node() is node.get_root_node() and is_within(leaf, node)


def is_within(leaf: Any, node: Any) -> bool:
    """Whether the leaf lies in the node, both of one file."""
    return bool(node.start_pos <= leaf.start_pos < node.end_pos)


def is_mangled(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")
