"""Whether the names that jedi lists for a value are all the names that it can have.

A class has attributes that no listing shows as soon as a base class is unknown, `__getattr__`
makes them up or `setattr` adds them. Everything unknown counts as open. This module looks at
values only; how they were found is the matter of `certainty`.
"""

from typing import Any

from retrieval.analyst.declared import (
    brings_back,
    code_of,
    decorator_name,
    is_hidden,
    is_of_subclasses,
    is_transform,
    keeps_the_type,
)

DYNAMIC_IN_CLASS = ("setattr", "__dict__", "vars", "exec", "__getattr__", "__getattribute__")
DYNAMIC_IN_MODULE = ("globals", "exec")
LOOKUPS = frozenset({"__getattr__", "__getattribute__"})
ATTRS = frozenset({"define", "frozen", "mutable", "attrs", "attributes", "s"})
# Decorators that leave a class with the attributes that stand in it.
HARMLESS_DECORATORS = frozenset(
    {
        *("dataclass", "final", "total_ordering", "runtime_checkable", "unique", "verify"),
        *("deprecated", "dataclass_transform", "disjoint_base", "type_check_only"),
        *ATTRS,
    }
)
# Classes of the type system from which nothing is inherited.
NAMELESS_BASES = frozenset({"Generic", "Protocol", "TypedDict", "NamedTuple", "Tuple"})
STAR_DEPTH = 4


def is_closed(value: Any) -> bool:
    """Whether no attribute can exist but those that jedi lists."""
    if value.is_module():
        return module_is_closed(value)
    if value.is_namespace() or value.api_type == "function":
        return False  # more folders may belong to it; decorators may have changed it
    if value.is_class():
        return class_is_closed(value)
    if value.api_type in ("instance", "property"):
        return class_is_closed(value.py__class__())
    return False


def module_is_closed(module: Any, depth: int = STAR_DEPTH) -> bool:
    """No `__getattr__`, nothing written into its `globals()`, no `import *` that leads nowhere."""
    if module.is_compiled():
        return True
    node = module.tree_node
    if node is None or depth == 0:
        return False
    used = node.get_used_names()
    made_up = (name for name in used.get("__getattr__", ()) if not is_hidden(name))
    if any(name.is_definition() and is_top_level(name) for name in made_up):
        return False
    if not module.is_stub():
        if any(name in used for name in DYNAMIC_IN_MODULE):
            return False
        if any(is_item_of_modules(name) for name in used.get("modules", ())):
            return False
    return stars_are_closed(module, depth)


def stars_are_closed(module: Any, depth: int = STAR_DEPTH) -> bool:
    """Whether every `import *` of the module names one that is closed."""
    from jedi.inference.imports import Importer

    for statement in module.tree_node.iter_imports():
        if not statement.is_star_import():
            continue
        found = Importer(
            module.inference_state,
            import_path=statement.get_paths()[-1],
            module_context=module.as_context(),
            level=statement.level,
        ).follow()
        if not found or not all(
            part.is_module() and module_is_closed(part, depth - 1) for part in found
        ):
            return False
    return True


def is_top_level(name: Any) -> bool:
    return name.search_ancestor("funcdef", "classdef") in (None, name.parent) and (
        name.parent.search_ancestor("funcdef", "classdef") is None
    )


def is_item_of_modules(name: Any) -> bool:
    """Whether this `modules` is the one of `sys.modules[__name__]`."""
    power = name.parent.parent if name.parent.type == "trailer" else None
    return power is not None and power.get_code(include_prefix=False).startswith(
        "sys.modules[__name__]"
    )


def class_is_closed(cls: Any) -> bool:
    """Whether every class that it inherits from is known, and none makes attributes up."""
    if is_builtin(cls, "object") or is_builtin(cls, "type"):
        return False  # says nothing about what is really there
    if not hasattr(cls, "py__mro__"):
        return False
    order = list(cls.py__mro__())
    if order[-1].py__name__() != "object":
        return False  # one of the classes in between was not found
    known = frozenset(part.py__name__() for part in order if hasattr(part, "py__name__"))
    return all(own_part_is_closed(part, known) for part in order)


def own_part_is_closed(cls: Any, known: frozenset[str] = frozenset()) -> bool:
    """Whether the class body shows all that the class adds, and its bases can be found.

    A base of a stub that jedi does not find counts as found if the class inherits from a `known`
    one of that name: jedi imports no private name out of a stub.
    """
    if cls.is_compiled() or is_builtin(cls, "object") or is_builtin(cls, "type"):
        return True
    node = cls.tree_node
    if node is None or node.type != "classdef":
        return is_nameless(cls)
    if any(f.name.value in LOOKUPS and not is_hidden(f) for f in node.iter_funcdefs()):
        return False
    if is_stub(cls):
        return bases_are_known(cls, node, known)
    context = cls.parent_context
    decorators = node.get_decorators()
    if not all(
        is_harmless(decorator) or keeps_the_type(context, decorator) for decorator in decorators
    ):
        return False
    changes = changes_by_name(node)
    if is_set_from_outside(node) or any(map(is_of_subclasses, changes)):
        return False
    if changes and not is_transform(context, node, metaclass_of(node)):
        return False
    return bases_are_known(cls, node, frozenset())


def changes_by_name(node: Any) -> list[Any]:
    """Where the class sets attributes by a name that is computed."""
    used = node.get_root_node().get_used_names()
    return [
        name
        for word in DYNAMIC_IN_CLASS
        for name in used.get(word, ())
        if node.start_pos <= name.start_pos < node.end_pos
        and not is_hidden(name)
        and not brings_back(name)
    ]


def is_set_from_outside(node: Any) -> bool:
    used = node.get_root_node().get_used_names()
    return any(first_argument(name) == node.name.value for name in used.get("setattr", ()))


def first_argument(function: Any) -> str:
    """The code of the first argument of a call; empty where it is none."""
    trailer = function.get_next_sibling()
    if trailer is None or trailer.type != "trailer" or trailer.children[0] != "(":
        return ""
    inside = trailer.children[1]
    first = inside.children[0] if inside.type == "arglist" else inside
    return code_of(first)


def is_harmless(decorator: Any) -> bool:
    return decorator_name(decorator) in HARMLESS_DECORATORS


def arguments_of(node: Any) -> list[Any]:
    """What stands in the brackets behind the name of a class."""
    arguments = node.get_super_arglist()
    if arguments is None:
        return []
    parts = arguments.children if arguments.type == "arglist" else [arguments]
    return [part for part in parts if part != ","]


def metaclass_of(node: Any) -> Any:
    """The expression for the metaclass of a class, if it names one."""
    for part in arguments_of(node):
        if part.type == "argument" and code_of(part.children[0]) == "metaclass":
            return part.children[2]
    return None


def bases_are_known(cls: Any, node: Any, known: frozenset[str]) -> bool:
    """Whether each base, and the metaclass, is found and is nothing but a class."""
    context = cls.parent_context
    for part in arguments_of(node):
        if part.type == "argument":
            if part.children[0].type != "name" or part.children[1] != "=":
                return False  # bases in a sequence
            if part.children[0].value == "metaclass":
                found = context.infer_node(part.children[2])
                if not found or not all(map(metaclass_is_known, found)):
                    return False
            continue
        found = context.infer_node(part)
        if not found and code_of(part) in known:
            continue
        if not found or not all(map(is_base, found)):
            return False
    return True


def is_base(value: Any) -> bool:
    if is_nameless(value):
        return True
    return bool(value.is_class()) and hasattr(value, "py__mro__")


def is_nameless(value: Any) -> bool:
    name = value.py__name__() if hasattr(value, "py__name__") else None
    return name in NAMELESS_BASES


def is_named_tuple(value: Any) -> bool:
    cls = value if value.is_class() else value.py__class__()
    return hasattr(cls, "py__mro__") and any(
        hasattr(part, "py__name__") and part.py__name__() == "NamedTuple"
        for part in cls.py__mro__()
    )


def metaclass_is_known(value: Any) -> bool:
    return bool(value.is_class()) and all(own_part_is_closed(part) for part in value.py__mro__())


def is_builtin(value: Any, name: str) -> bool:
    if not hasattr(value, "py__name__") or value.py__name__() != name:
        return False
    return is_from_builtins(value)


def is_from_builtins(value: Any) -> bool:
    return bool(value.get_root_context().is_builtins_module())


def is_stub(value: Any) -> bool:
    return bool(value.get_root_context().is_stub())


def is_none(value: Any) -> bool:
    return value.py__name__() == "NoneType" if hasattr(value, "py__name__") else False
