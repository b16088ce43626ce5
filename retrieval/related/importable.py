"""What a file of a Python repository could import of it, and how."""

from dataclasses import dataclass
from itertools import takewhile
from pathlib import PurePosixPath

from retrieval.index.database import IndexDatabase
from retrieval.index.declarations import Kind

MOST_NAMES = 20
SOURCE_FOLDERS = frozenset({"src", "lib", "python"})  # that are no part of a module's name


@dataclass(frozen=True, slots=True)
class Importable:
    """A name, the module that has it, and what it is."""

    name: str
    module: str
    kind: Kind


def importable(database: IndexDatabase, path: str, prefix: str) -> list[Importable]:
    """Classes, functions and constants of other modules whose names begin with `prefix`, by name.

    Of a name that several modules declare, the one in the nearest folder.
    """
    nearest: dict[str, tuple[str, Kind]] = {}
    for name, other, kind in database.names.declared_with_prefix(prefix, ".py"):
        known = nearest.get(name)
        if other != path and (known is None or distance(path, other) < distance(path, known[0])):
            nearest[name] = other, kind
    found = sorted(nearest.items())[:MOST_NAMES]
    return [Importable(name, module_of(database, other), kind) for name, (other, kind) in found]


def modules_with(database: IndexDatabase, path: str, name: str) -> list[Importable]:
    """The modules from which a file could import just that name, the nearest first."""
    declared = database.names.declared_with_prefix(name, ".py")
    others = {other: kind for one, other, kind in declared if one == name and other != path}
    nearest = sorted(others, key=lambda other: distance(path, other))[:MOST_NAMES]
    return [Importable(name, module_of(database, other), others[other]) for other in nearest]


def distance(path: str, other: str) -> tuple[int, str]:
    """How many folders lie between two files; of two that are as near, the first by name."""
    here, there = PurePosixPath(path).parts[:-1], PurePosixPath(other).parts[:-1]
    pairs = zip(here, there, strict=False)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return len(here) + len(there) - 2 * shared, other


def module_of(database: IndexDatabase, path: str) -> str:
    """The name by which a file is imported: of the folders above it, those that are packages, or
    all but a folder of sources where none is."""
    *folders, file = PurePosixPath(path).with_suffix("").parts
    names = folders if file == "__init__" else [*folders, file]
    inits = database.names.files_of(
        ["/".join([*folders[:end], "__init__.py"]) for end in range(1, len(folders) + 1)]
    )
    start = len(folders)
    while start > 0 and "/".join([*folders[:start], "__init__.py"]) in inits:
        start -= 1
    if start == len(folders):  # packages need no `__init__.py`
        start = sum(folder in SOURCE_FOLDERS for folder in folders[:1])
    return ".".join(names[start:])
