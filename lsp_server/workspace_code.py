"""What is related to what stands at a cursor, by the indexes of the workspace and of packages."""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from completion.menu.names import IDENTIFIER, listed_at
from completion.menu.places import MenuPlace
from completion.values import PYTHON, CancelCheck, CompletionRequest
from lsp_server.index_command import index_file
from retrieval.analyst.search_path import environment_folders
from retrieval.api_docs.api_docs import LibraryDocs, fitting_first
from retrieval.api_docs.packages import Package, find_package, packages_of
from retrieval.api_docs.stub import count_told
from retrieval.api_docs.wish import wish_above
from retrieval.index.database import IndexDatabase, Place, open_existing
from retrieval.index.declarations import Declaration
from retrieval.index.search import ApiSearch
from retrieval.index.words import words_asked
from retrieval.related.importable import SOURCE_FOLDERS, Importable, importable, modules_with
from retrieval.related.java_names import NONE_LISTED, ListedNames
from retrieval.related.related_code import NOTHING_RELATED, RelatedCode, RepositoryCode
from retrieval.related.similar_code import CodeBlock
from retrieval.workspace_files import WorkspaceFiles

logger = logging.getLogger(__name__)

Found = TypeVar("Found")
MOST_APIS = 3  # whose documentation is read
OpenTexts = Callable[[], Mapping[Path, str]]


class WorkspaceCode:
    """Looks into the indexes that there are; makes none.

    `rules` say what may be read below which roots, `opened` tells the texts that an editor has of
    its files, `environment` has the packages, Pirouette's own if it is empty. Nothing of a
    request is remembered, so it may be asked by any thread.
    """

    def __init__(
        self, rules: WorkspaceFiles, opened: OpenTexts = dict, environment: str = ""
    ) -> None:
        self._rules = rules
        self._opened = opened
        self._environment = environment

    def related(self, request: CompletionRequest, cancelled: CancelCheck) -> RelatedCode:
        """First what packages say of the APIs that are wished for above the cursor, then code of
        other files. Nothing where the file is in no folder with an index, or that cannot be read.
        """

        def find(database: IndexDatabase, root: Path, path: str) -> RelatedCode:
            code = RepositoryCode(root, database, self._rules, self._texts(root))
            found = code.related(path, request.before, request.after, cancelled)
            docs = self._docs(request, root, cancelled)
            return replace(found, blocks=(*docs, *found.blocks))

        return self._look(request.path, find) or NOTHING_RELATED

    def _docs(
        self, request: CompletionRequest, root: Path, cancelled: CancelCheck
    ) -> list[CodeBlock]:
        """Of the packages that the file imports."""
        wish = wish_above(request.before) if request.language == PYTHON else ""
        found: list[CodeBlock] = []
        for package in self._packages(request, root) if wish else ():
            if not cancelled():
                found += in_package(package, lambda docs: docs.for_wish(wish, MOST_APIS))
        return fitting_first(found, wish)[:MOST_APIS]

    def api_for(self, request: CompletionRequest, query: str) -> str:
        """The name of the API that fits a query best, of the packages that the file imports or of
        the repository itself; nothing where none does."""

        def find(database: IndexDatabase, root: Path, _: str) -> str:
            found: list[Place] = []
            for package in self._packages(request, root):
                found += in_package(package, lambda docs: docs.found(query)[:1])
            found += [hit.place for hit in ApiSearch(database, root, None).search(query, 1)]
            return best_named(found, query)

        return self._look(request.path, find) or ""

    def _packages(self, request: CompletionRequest, root: Path) -> Iterator[Package]:
        """Those that a Python file imports, and that are no modules of the repository."""
        folders = environment_folders(self._environment or None)
        for name in packages_of(request.before) if request.language == PYTHON else ():
            package = find_package(name, folders)
            if package is not None and not has_module(root, name):
                yield package

    def importable(self, request: CompletionRequest, prefix: str) -> dict[str, Importable]:
        """What could be imported under names that begin so and that the text has not got at all."""

        def find(database: IndexDatabase, _: Path, path: str) -> dict[str, Importable]:
            known = frozenset(IDENTIFIER.findall(f"{request.before} {request.after}"))
            found = importable(database, path, prefix)
            return {one.name: one for one in found if one.name not in known}

        return self._look(request.path, find) or {}

    def modules_with(self, path: Path, name: str) -> list[Importable]:
        """From where a file could import that name."""

        def find(database: IndexDatabase, _: Path, here: str) -> list[Importable]:
            return modules_with(database, here, name)

        return self._look(str(path), find) or []

    def symbols(self, query: str, limit: int) -> list[tuple[Path, Declaration]]:
        """Declarations below the roots whose names hold a query, each with its file."""
        found: list[tuple[Path, Declaration]] = []
        for root in dict.fromkeys(root.resolve() for root in self._rules.roots):

            def find(database: IndexDatabase, root: Path, _: str) -> list[tuple[Path, Declaration]]:
                places = database.places(database.names.symbols(query, limit))
                return [(root / place.path, place.declaration) for place in places]

            found += self._look(str(root), find) or []
        allowed = {path: self._rules.allows(path) for path in {path for path, _ in found}}
        return [(path, one) for path, one in found if allowed[path]][:limit]

    def listed(self, request: CompletionRequest, place: MenuPlace) -> ListedNames:
        """What the index knows of the names at a place in Java."""

        def find(database: IndexDatabase, _: Path, __: str) -> ListedNames:
            return listed_at(database, request, place)

        return self._look(request.path, find) or NONE_LISTED

    def _look(self, file: str, find: Callable[[IndexDatabase, Path, str], Found]) -> Found | None:
        """What is found for a file, or a folder, in the root that it is in."""
        try:
            path = Path(file).resolve()
            roots = {root.resolve() for root in self._rules.roots}
            around = [root for root in roots if file and path.is_relative_to(root)]
            root = max(around, key=lambda root: len(root.parts), default=None)
            database = None if root is None else open_existing(index_file(root))
            if root is None or database is None:
                return None
            with closing(database):
                return find(database, root, path.relative_to(root).as_posix())
        except (sqlite3.Error, OSError, RuntimeError, ValueError) as error:
            logger.warning("the index was not read (%s)", type(error).__name__)
            return None

    def _texts(self, root: Path) -> dict[str, str]:
        """What is open below a folder, of what may be read."""
        return {
            real.relative_to(root).as_posix(): text
            for path, text in self._opened().items()
            if (real := path.resolve()).is_relative_to(root) and self._rules.allows(path)
        }


def in_package(package: Package, find: Callable[[LibraryDocs], list[Found]]) -> list[Found]:
    """What is found in what a package says of its APIs; nothing where that cannot be read."""
    try:
        database = open_existing(index_file(package.place))
        if database is None:
            return []
        with closing(database):
            return find(LibraryDocs(package.site, database))
    except (sqlite3.Error, OSError) as error:
        logger.warning("the index of a package was not read (%s)", type(error).__name__)
        return []


def best_named(places: Sequence[Place], query: str) -> str:
    """The name of the API, with the class around it, that says most of a query's words."""
    wanted = set(words_asked(query))

    def told(place: Place) -> int:
        one = place.declaration
        return count_told(wanted, f"{one.qualified} {one.signature} {one.doc}")

    best = max(places, key=told, default=None)
    return "" if best is None else best.declaration.qualified


def has_module(root: Path, name: str) -> bool:
    """Whether a repository has a top-level module of a name."""
    folders = (root, *(root / folder for folder in SOURCE_FOLDERS))
    return any(os.path.lexists(folder / end) for folder in folders for end in (name, f"{name}.py"))
