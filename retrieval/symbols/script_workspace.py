"""Names across the modules of a TypeScript or JavaScript workspace.

A module is found by a relative path, as all agree on: what is installed, and paths that a
configuration maps, stay unknown.
"""

import os
import re
from dataclasses import dataclass

from retrieval.grammars import TYPED_SUFFIXES, UNTYPED_SUFFIXES
from retrieval.index.declarations import Kind, Kinds
from retrieval.symbols.members import Declared
from retrieval.symbols.script_modules import DECLARING, DEFAULT, WHOLE, Imported, Module
from retrieval.symbols.sources import SourceFiles

DEEPEST = 8  # classes and interfaces that extend one another
RELATIVE = re.compile(r"\.{1,2}(?:/|\Z)")
FOLDER = re.compile(r"(?:\A|/)(?:\.{1,2}/?)?\Z")  # where a path means no file
# A compiled file that is named stands for the source that it is made from, or what declares it.
COMPILED = {
    ".js": (".ts", ".tsx", ".d.ts"),
    ".jsx": (".tsx", ".d.ts"),
    ".mjs": (".mts", ".d.mts"),
    ".cjs": (".cts", ".d.cts"),
}


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

    @property
    def is_checked(self) -> bool:
        """Whether a checker of types sees to it that nothing is used but what is declared there."""
        return self.edited.typed and not self.edited.augments

    def module(self, path: str) -> Module | None:
        return self.edited if path == self.path else self.files.get(path, self.root)

    def find_module(self, source: str, importer: str) -> str | None:
        """The file that a module names, if it lies in the workspace and may be read."""
        if not RELATIVE.match(source):
            return None
        stem = os.path.normpath(os.path.join(os.path.dirname(importer), source))  # noqa: PTH118, PTH120
        is_typed = importer.endswith(TYPED_SUFFIXES)
        files = candidates(stem, is_typed=is_typed) if not FOLDER.search(source) else []
        files += [os.path.join(stem, "index" + suffix) for suffix in suffixes(is_typed=is_typed)]  # noqa: PTH118
        found = next((file for file in files if file == self.path or is_file(file)), None)
        return found if found is not None and self.module(found) is not None else None

    def exported(self, top: str | None) -> Kinds | None:
        """All names that a module exports, those of others without what they are; None where that
        is not known."""
        names: dict[str, Kind | None] = {}
        waiting, seen = [top], {top}
        while waiting:
            path = waiting.pop()
            module = self.module(path) if path is not None else None
            if path is None or module is None or not module.complete:
                return None
            own = {
                name: None if isinstance(local, Imported) else module.kinds.get(local)
                for name, local in module.exported.items()
                if path == top or name != DEFAULT
            }
            names = {**own, **names}
            passed_on = {self.find_module(source, path) for source in module.stars} - seen
            seen |= passed_on
            waiting += passed_on
        return names

    def find(self, found: Found | None) -> Found | None:
        """Where what a name in a module stands for is declared."""
        seen: set[Found] = set()
        waiting = [found]
        while waiting:
            found = waiting.pop()
            if found is None or found in seen:
                continue
            seen.add(found)
            module = self.module(found.path)
            if module is None:
                return None
            if found.name is None or found.name in module.declared:
                return found
            if found.name in module.imported:
                waiting += self._passed_on(module.imported[found.name], found.path, seen)
        return None

    def _passed_on(self, imported: Imported, importer: str, seen: set[Found]) -> list[Found | None]:
        """Where what one module takes from another may be, the likeliest last."""
        path = self.find_module(imported.source, importer)
        module = self.module(path) if path is not None else None
        if path is None or module is None:
            return []
        if imported.name == WHOLE:
            return [Found(path, None)]
        way = Found(path, f"export {imported.name}")
        if way in seen:
            return []
        seen.add(way)
        exported = module.exported.get(imported.name)
        if isinstance(exported, Imported):
            return self._passed_on(exported, path, seen)
        if exported is not None:
            return [Found(path, exported)]
        sources = (Imported(source, imported.name) for source in reversed(module.stars))
        return [one for source in sources for one in self._passed_on(source, path, seen)]

    def declared(self, found: Found | None) -> Declared | None:
        module = self.module(found.path) if found is not None else None
        if found is None or found.name is None or module is None:
            return None
        return module.declared.get(found.name)

    def names_of(self, found: Found | None) -> Kinds | None:
        """What may stand after `name.`; None where that is not known."""
        place = self.find(found)
        if place is not None and place.name is None:
            return self.exported(place.path)
        return self._names(place, of_type=False)

    def names_of_type(self, found: Found | None, *, made: bool = False) -> Kinds | None:
        """What a value of the type that is named has, or one that is made by the class that is;
        None where that is not known."""
        place = self.find(found)
        declared = self.declared(place)
        if made and not (declared is not None and declared.is_class):
            return None
        return self._names(place, of_type=True)

    def _names(self, place: Found | None, *, of_type: bool, depth: int = DEEPEST) -> Kinds | None:
        declared = self.declared(place)
        if place is None or declared is None or depth == 0 or not self.is_checked:
            return None
        members = declared.of_type if of_type else declared.itself
        if members is None or not members.complete:
            return None
        names = members.names
        for base in members.bases:
            found = self.find(Found(place.path, base))
            extended = self.declared(found)
            if extended is None or (declared.is_class and not extended.is_class):
                return None
            inherited = self._names(found, of_type=of_type, depth=depth - 1)
            if inherited is None:
                return None
            names = {**inherited, **names}
        return names


def is_file(path: str) -> bool:
    return os.path.isfile(path)  # noqa: PTH113


def suffixes(*, is_typed: bool) -> tuple[str, ...]:
    """Of the files that a module without one may mean, the likeliest first.

    What declarations say is for whoever checks types; more may be there.
    """
    written = (*TYPED_SUFFIXES, *DECLARING)
    return (*written, *UNTYPED_SUFFIXES) if is_typed else (*UNTYPED_SUFFIXES, *TYPED_SUFFIXES)


def candidates(stem: str, *, is_typed: bool) -> list[str]:
    """Files that a module's path may mean, the likeliest first."""
    bare, suffix = os.path.splitext(stem)  # noqa: PTH122
    written = [bare + source for source in COMPILED.get(suffix, ()) if is_typed]
    return [*written, stem, *(stem + one for one in suffixes(is_typed=is_typed))]
