"""What a file declares, imports and calls, in any language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a name stands for. Interfaces, enumerations, structs and type aliases are classes.

    The last two no file declares: they are told of names at a place.
    """

    MODULE = "module"
    CLASS = "class"
    FUNCTION = "function"
    METHOD = "method"
    VARIABLE = "variable"  # and constants of modules, fields of classes
    PROPERTY = "property"  # what a value has and that is not called
    KEYWORD = "keyword"


Kinds = Mapping[str, Kind | None]  # of names; None where it is not known

# What is called or made: an API. The others are known by name alone and not searched for.
APIS = frozenset({Kind.CLASS, Kind.FUNCTION, Kind.METHOD})


@dataclass(frozen=True, slots=True)
class Declaration:
    """Something that can be used by its name.

    `qualified` is the name with those of the classes around it, `signature` how it is declared, on
    one line and without its body, `doc` what is written of it; lines are counted from 1 on. `body`
    has the words of a function's body, which are searched and not kept.
    """

    kind: Kind
    name: str
    qualified: str
    signature: str
    doc: str
    first_line: int
    last_line: int
    body: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Import:
    """`local` is what a file calls the `name` of a `module`, or the module itself without a name.

    Both are `*` for all that the module has.
    """

    local: str
    module: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Outline:
    """All of a file, in text order; the module itself comes first.

    `calls` says for each name that is called on which line it is called first; `names` are all that
    are in the text, each once.
    """

    declarations: tuple[Declaration, ...]
    imports: tuple[Import, ...]
    calls: Mapping[str, int]
    names: Sequence[str] = ()
