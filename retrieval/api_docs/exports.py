"""What a library's packages export, and under which names: worked out once when it is indexed."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from retrieval.index.database import IndexDatabase

SETTING = "exports"
LAST_NAMES = re.compile(r"\w+(?![\w.])")  # of dotted ones

Aliases = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Exports:
    """`reached` are the names that packages have, and those of the classes that such classes are
    made of, which is where their methods may be. `aliases` has what a package calls a name of a
    module, by the last part of the module's name, and that name."""

    reached: frozenset[str]
    aliases: Aliases


def keep_exports(database: IndexDatabase) -> None:
    """Have them in the index, for whoever searches it."""
    exports = database.names.exports()
    reached = with_bases([export.name for export in exports], database.names.classes())
    aliases = sorted(
        (export.module.rpartition(".")[2], export.name, export.local)
        for export in exports
        if export.name != export.local
    )
    database.set(SETTING, json.dumps([sorted(reached), aliases]))


def kept_exports(database: IndexDatabase) -> Exports:
    """Those in the index; none where there are none."""
    reached, aliases = json.loads(database.setting(SETTING) or "[[], []]")
    return Exports(frozenset(reached), {(module, name): local for module, name, local in aliases})


def with_bases(exported: Iterable[str], classes: Mapping[str, str]) -> frozenset[str]:
    """Some names, and those of the `classes` (how each is declared) that such classes are made
    of."""
    known = set(exported)
    waiting = list(known)
    while waiting:
        _, _, bases = classes.get(waiting.pop(), "").partition("(")
        new = {name for name in LAST_NAMES.findall(bases) if name in classes} - known
        known |= new
        waiting += new
    return frozenset(known)
