"""Names across the modules of a TypeScript or JavaScript workspace.

A module is found by a relative path, as all agree on: what is installed, and paths that a
configuration maps, stay unknown.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from retrieval.symbols.grammars import TYPED_SUFFIXES, UNTYPED_SUFFIXES
from retrieval.symbols.members import Declared, Members
from retrieval.symbols.script_modules import DEFAULT, WHOLE, Imported, Module
from retrieval.symbols.sources import SourceFiles

DEEPEST = 8  # modules that pass a name on, and classes that extend one another
# A compiled file that is named stands for the source that it is made from.
COMPILED = {".js": (".ts", ".tsx"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}


@dataclass(frozen=True, slots=True)
class Found:
    """A name in the module at a path; None for the name stands for all that it exports."""

    path: str
    name: str | None


@dataclass(frozen=True, slots=True)
class ScriptWorkspace:
    """Below `root`; the module at `path` is as it is edited, not as it is on disk."""

    root: str
    path: str
    edited: Module
    files: SourceFiles[Module]

    def module(self, path: str) -> Module | None:
        return self.edited if path == self.path else self.files.get(path, self.root)

    def find_module(self, source: str, importer: str) -> str | None:
        """The file that a module names, if it lies in the workspace."""
        if not source.startswith(("./", "../")) and source not in (".", ".."):
            return None
        stem = os.path.normpath(os.path.join(os.path.dirname(importer), source))  # noqa: PTH118, PTH120
        found = candidates(stem, typed=importer.endswith(TYPED_SUFFIXES))
        return next((one for one in found if self.module(one) is not None), None)

    def exported(self, path: str | None, depth: int = DEEPEST) -> frozenset[str] | None:
        """All names that a module exports; None where that is not known."""
        module = self.module(path) if path is not None else None
        if path is None or module is None or not module.complete or depth == 0:
            return None
        names = frozenset(module.exported)
        for source in module.stars:
            passed_on = self.exported(self.find_module(source, path), depth - 1)
            if passed_on is None:
                return None
            names |= passed_on - {DEFAULT}
        return names

    def find(self, found: Found | None, depth: int = DEEPEST) -> Found | None:
        """Where what a name in a module stands for is declared."""
        module = self.module(found.path) if found is not None else None
        if found is None or module is None or found.name is None or depth == 0:
            return found
        if found.name in module.imported:
            return self.follow(module.imported[found.name], found.path, depth)
        return found if found.name in module.declared else None

    def follow(self, imported: Imported, importer: str, depth: int = DEEPEST) -> Found | None:
        """Where what is imported or passed on by a module is declared."""
        path = self.find_module(imported.source, importer)
        module = self.module(path) if path is not None else None
        if path is None or module is None or depth == 0:
            return None
        if imported.name == WHOLE:
            return Found(path, None)
        seen = module.exported.get(imported.name)
        if isinstance(seen, Imported):
            return self.follow(seen, path, depth - 1)
        if seen is not None:
            return self.find(Found(path, seen), depth - 1)
        passed_on = (
            self.follow(Imported(source, imported.name), path, depth - 1) for source in module.stars
        )
        return next((one for one in passed_on if one is not None), None)

    def declared(self, found: Found | None) -> Declared | None:
        module = self.module(found.path) if found is not None else None
        if found is None or found.name is None or module is None:
            return None
        return module.declared.get(found.name)

    def names_of(self, found: Found | None) -> frozenset[str] | None:
        """What may stand after `name.`; None where that is not known."""
        place = self.find(found)
        if place is not None and place.name is None:
            return self.exported(place.path)
        return self._names(place, of_type=False)

    def names_of_type(self, found: Found | None) -> frozenset[str] | None:
        """What a value of the type that is named has; None where that is not known."""
        return self._names(self.find(found), of_type=True)

    def _names(
        self, place: Found | None, *, of_type: bool, depth: int = DEEPEST
    ) -> frozenset[str] | None:
        declared = self.declared(place)
        if place is None or declared is None or depth == 0:
            return None
        members = declared.of_type if of_type else declared.itself
        if members is None or not members.complete:
            return None
        return self._with_bases(members, place.path, of_type=of_type, depth=depth)

    def _with_bases(
        self, members: Members, path: str, *, of_type: bool, depth: int
    ) -> frozenset[str] | None:
        names = members.names
        for base in members.bases:
            place = self.find(Found(path, base))
            inherited = self._names(place, of_type=of_type, depth=depth - 1)
            if inherited is None:
                return None
            names |= inherited
        return names


def candidates(stem: str, *, typed: bool) -> Iterable[str]:
    """Files that a module's path may mean, the likeliest first.

    What `.d.ts` declares is for whoever checks types; more may be there.
    """
    bare, suffix = os.path.splitext(stem)  # noqa: PTH122
    yield from (bare + source for source in COMPILED.get(suffix, ()) if typed)
    if suffix in (*TYPED_SUFFIXES, *UNTYPED_SUFFIXES):
        yield stem
    written, other = (*TYPED_SUFFIXES, ".d.ts"), UNTYPED_SUFFIXES
    suffixes = (*written, *other) if typed else (*other, *TYPED_SUFFIXES)
    yield from (stem + one for one in suffixes)
    yield from (os.path.join(stem, "index" + one) for one in suffixes)  # noqa: PTH118
