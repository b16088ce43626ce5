"""The names that values have, read from class bodies, and what each of them is.

jedi lists the attributes of a value by going over every name of a module once for each class in
the order of inheritance, which for a plain `str` is a quarter of a second. Here each class body is
walked once, and those of stub files are remembered. Whatever is not made of plain classes is left
to jedi. What a name is, is read off where it is bound: nothing is inferred for it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from jedi.api.completion import complete_trailer
from jedi.inference.gradual.conversion import convert_values

from retrieval.analyst.closed_values import is_named_tuple, is_nameless
from retrieval.analyst.declared import decorator_name
from retrieval.index.declarations import Kind, Kinds

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
PROPERTIES = frozenset({"property", "cached_property"})
# By jedi's words for them.
KINDS_IN_MODULES = {"class": Kind.CLASS, "function": Kind.FUNCTION, "module": Kind.MODULE}
KINDS_IN_CLASSES = {"class": Kind.CLASS, "function": Kind.METHOD, "module": Kind.MODULE}


class Listing:
    """Lists names; keeps those of classes in stub files, which nobody edits meanwhile."""

    def __init__(self) -> None:
        self._remembered: dict[tuple[str, Any, Any], Kinds] = {}

    def of_values(self, state: Any, user: Any, leaf: Any, values: Any) -> Kinds:
        """The names of all the values, for somebody whose code is at `leaf`.

        Branches that are not taken on this machine count as well: jedi's analysis of branches is
        off meanwhile, except where one of its plugins cannot do without.
        """
        state.flow_analysis_enabled = False
        try:
            found: dict[str, Kind | None] = {}
            others = []
            for value in {*values, *convert_values(values)}:
                names = self.of_plain(value, leaf)
                if names is None:
                    others.append(value)
                else:
                    found |= names
                if value.is_class():
                    found = {**self.of_metaclasses(value, leaf), **found}
            if others:
                found |= listed_by_jedi(state, user, type(values)(others))
        finally:
            state.flow_analysis_enabled = True
        if any(map(is_named_tuple, values)):  # of which a stub knows the fields alone
            found = {**dict.fromkeys(dir(tuple), Kind.METHOD), **found}
        return found

    def of_plain(self, value: Any, leaf: Any) -> Kinds | None:
        """The names of a plain value; None for whatever jedi has its own rules for."""
        if type(value).__name__ not in PLAIN_VALUES or not hasattr(value, "py__class__"):
            return None
        kind = value if value.is_class() else value.py__class__()
        if not hasattr(kind, "py__mro__") or (value.is_class() and has_metaclass(kind)):
            return None
        parts = list(kind.py__mro__())
        if value.is_class():
            parts += builtin_class(value, "type").py__mro__()
        found: dict[str, Kind | None] = {}
        for part in reversed(parts):  # what a class says goes for those that inherit from it
            if part.is_compiled():
                names = (name for names in part.get_filters() for name in names.values())
                found |= kinds_of(names, KINDS_IN_CLASSES)
            elif part.tree_node is not None and part.tree_node.type == "classdef":
                found |= self.of_class(part, leaf)
            elif not is_nameless(part):
                return None
        return found

    def of_metaclasses(self, cls: Any, leaf: Any) -> Kinds:
        """What a class has besides what its instances have."""
        metaclasses = cls.get_metaclasses() if hasattr(cls, "get_metaclasses") else ()
        return {
            name: kind
            for metaclass in metaclasses
            if hasattr(metaclass, "py__mro__")
            for part in metaclass.py__mro__()
            if not part.is_compiled() and part.tree_node is not None
            for name, kind in self.of_class(part, leaf).items()
        }

    def of_class(self, cls: Any, leaf: Any) -> Kinds:
        """What the class's own body defines, and its methods assign to `self`."""
        node = cls.tree_node
        root = cls.get_root_context()
        if not root.is_stub():
            inside = is_inside(leaf, node)
            names = names_of_body(node)
            return {name: kind for name, kind in names.items() if inside or not is_mangled(name)}
        key = (str(root.py__file__()), node.start_pos, node.get_root_node().end_pos)
        if (known := self._remembered.get(key)) is None:
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            known = self._remembered[key] = names_of_body(node)
        return known


def listed_by_jedi(state: Any, user: Any, values: Any) -> Kinds:
    kinds = KINDS_IN_MODULES if all(one.is_module() for one in values) else KINDS_IN_CLASSES
    try:
        return kinds_of(complete_trailer(user, values), kinds)
    except ValueError:
        state.flow_analysis_enabled = True
        return kinds_of(complete_trailer(user, values), kinds)


def kinds_of(names: Iterable[Any], kinds: dict[str, Kind]) -> dict[str, Kind | None]:
    """What jedi's names are; of one that is bound in several places, the first that tells."""
    found: dict[str, Kind | None] = {}
    for name in names:
        if found.get(name.string_name) is None:
            found[name.string_name] = kind_of(name, kinds)
    return found


def kind_of(name: Any, kinds: dict[str, Kind]) -> Kind | None:
    """What one of jedi's names is, by where it is bound; None where another module is asked."""
    tree_name = name.tree_name
    if name.api_type == "module" and tree_name is not None:
        statement = tree_name.get_definition(import_name_always=True)
        if statement is not None and statement.type == "import_from":
            return None
    return kinds.get(name.api_type, Kind.VARIABLE if kinds is KINDS_IN_MODULES else Kind.PROPERTY)


def has_metaclass(cls: Any) -> bool:
    """One that adds names; what `ABCMeta` adds is nobody's business."""
    find = getattr(cls, "get_metaclasses", None)
    return find is not None and any(
        not hasattr(meta, "py__name__") or meta.py__name__() != "ABCMeta" for meta in find()
    )


def builtin_class(value: Any, name: str) -> Any:
    from jedi.inference.compiled import builtin_from_name

    return builtin_from_name(value.inference_state, name)


def names_of_body(node: Any) -> dict[str, Kind]:
    """Names bound in a class body, and attributes that its methods bind on their first argument."""
    found: dict[str, Kind] = {}
    for leaf in bound_in(node.children[-1]):
        found.setdefault(leaf.value, kind_bound(leaf))
        if leaf.value == "__slots__":
            statement = leaf.search_ancestor("expr_stmt")
            slots = SLOT.findall(statement.get_code() if statement else "")
            found = {**dict.fromkeys(slots, Kind.PROPERTY), **found}
    used = node.get_root_node().get_used_names()
    for function in functions_in(node.children[-1]):
        parameters = function.get_params()
        if parameters:
            first = parameters[0].name.value
            for receiver in used.get(first, ()):
                attribute = attribute_bound(receiver)
                if attribute is not None and is_within(receiver, function):
                    found.setdefault(attribute, Kind.PROPERTY)
    return found


def kind_bound(leaf: Any) -> Kind:
    """What a class body binds under a name."""
    by = leaf.parent
    if by.type == "classdef":
        return Kind.CLASS
    if by.type != "funcdef":
        return Kind.PROPERTY
    is_property = any(decorator_name(one) in PROPERTIES for one in by.get_decorators())
    return Kind.PROPERTY if is_property else Kind.METHOD


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
