"""Which APIs of a library fit a wish in words, with what the library says of them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from retrieval.api_docs.exports import Aliases, Exports, kept_exports
from retrieval.api_docs.packages import MAKER
from retrieval.api_docs.stub import count_told, stub_of, summary_of
from retrieval.index.database import IndexDatabase, Place
from retrieval.index.declarations import APIS, Kind
from retrieval.index.search import is_test
from retrieval.index.source_files import read_source
from retrieval.index.words import words_asked
from retrieval.related.similar_code import CodeBlock

DEEP = 200  # of the ranking, what is looked at: most of it may be no public API
INNER_RANKS = 20  # that something loses which no package of the library has


@dataclass(frozen=True, slots=True)
class LibraryDocs:
    """One library, whose files lie below `root`, by the index of its package."""

    root: Path
    database: IndexDatabase

    def for_wish(self, wish: str, most: int) -> list[CodeBlock]:
        """What is said of the APIs that fit a wish, no more than so many, the best first."""
        return [self.block(api, wish) for api in self.found(wish)[:most]]

    def found(self, wish: str) -> list[Place]:
        """The APIs for a wish under the names that their users know, the best first; of those that
        are said to do the same, one."""
        return list(told_apart(self._public(self.database.lexical(words_asked(wish), DEEP))))

    def named(self, name: str, wish: str) -> Place | None:
        """The API of a name that fits a wish best."""
        fitting = (api for api in self.found(wish) if api.declaration.name == name)
        aliases = kept_exports(self.database).aliases
        declared = [one for (_, one), known in aliases.items() if known == name]
        ids = [id for one in (name, *declared) for id in self.database.names.declared(one)]
        others = (api for api in self._public(ids) if api.declaration.name == name)
        return next(fitting, None) or next(others, None)

    def block(self, api: Place, wish: str) -> CodeBlock:
        """The documentation of one API."""
        [written] = self.database.places([api.id])
        declared = written.declaration
        made_by = None
        if declared.kind is Kind.CLASS:
            made_by = self.database.declared_as(api.path, f"{declared.qualified}.{MAKER}")
        text = (read_source(self.root, api.path) or b"").decode(errors="replace")
        source = text.split("\n")[declared.first_line - 1 : declared.last_line]
        stub = stub_of(api.declaration, declared, made_by, source, wish)
        return CodeBlock(api.path, declared.first_line, stub)

    def _public(self, ids: Sequence[int]) -> Iterator[Place]:
        """Of some declarations the public ones; what no package exports comes further down."""
        exports = kept_exports(self.database)
        public = (one for one in self.database.places(ids) if is_public(one, exports))
        ordered = exported_first(public, exports.reached)
        return (as_known(one, exports.aliases) for one in ordered)


def as_known(place: Place, aliases: Aliases) -> Place:
    """The same under the name that a package exports it by, or the class around it: by the last
    name of its module, and its own."""
    outermost, *inner = place.declaration.qualified.split(".")
    path = PurePosixPath(place.path)
    module = path.parent.name if path.stem == MAKER else path.stem
    names = (aliases.get((module, outermost), outermost), *inner)
    known = replace(place.declaration, name=names[-1], qualified=".".join(names))
    return replace(place, declaration=known)


def fitting_first(blocks: Iterable[CodeBlock], wish: str) -> list[CodeBlock]:
    """Those of several libraries, whose rankings cannot be compared, by how much of the wish their
    text has; of equals in the order that they come in."""
    wanted = set(words_asked(wish))
    return sorted(blocks, key=lambda block: -count_told(wanted, block.text))


def is_public(place: Place, exports: Exports) -> bool:
    """Whether an API is meant for others: by the name that they know and those around it, but that
    private modules may have what packages export."""
    declared = place.declaration
    names = as_known(place, exports.aliases).declaration.qualified.split(".")
    folders = place.path.removesuffix("/__init__.py").removesuffix("/__init__.pyi")
    is_exported = declared.qualified.partition(".")[0] in exports.reached
    modules = () if is_exported else re.split(r"[/.]", folders)
    is_named_so = not any(name.startswith("_") for name in (*modules, *names))
    return declared.kind in APIS and is_named_so and not is_test(place.path)


def exported_first(places: Iterable[Place], exported: frozenset[str]) -> Iterator[Place]:
    """In the same order, but that what is not exported loses so many ranks."""

    def rank(numbered: tuple[int, Place]) -> int:
        number, place = numbered
        outermost = place.declaration.qualified.partition(".")[0]
        return number + (0 if outermost in exported else INNER_RANKS)

    return (place for _, place in sorted(enumerate(places), key=rank))


def told_apart(apis: Iterable[Place]) -> Iterator[Place]:
    """Without those of a name, or a summary, that came before; what says nothing is no help."""
    names: set[str] = set()
    summaries: set[str] = {""}
    for api in apis:
        name, summary = api.declaration.name, summary_of(api.declaration.doc)
        if name not in names and summary not in summaries:
            names.add(name)
            summaries.add(summary)
            yield api
