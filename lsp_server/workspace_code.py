"""Code of the workspace that is related to what stands at a cursor, by its folders' indexes."""

import logging
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from completion.menu.names import IDENTIFIER
from completion.values import CancelCheck, CompletionRequest
from lsp_server.index_command import index_file
from retrieval.index.database import IndexDatabase, open_existing
from retrieval.related.importable import importable
from retrieval.related.related_code import NOTHING_RELATED, RelatedCode, RepositoryCode
from retrieval.workspace_files import WorkspaceFiles

logger = logging.getLogger(__name__)

Found = TypeVar("Found")
OpenTexts = Callable[[], Mapping[Path, str]]


class WorkspaceCode:
    """Looks into the indexes that there are; makes none.

    `rules` say what may be read below which roots, `opened` tells the texts that an editor has of
    its files. Nothing of a request is remembered, so it may be asked by any thread.
    """

    def __init__(self, rules: WorkspaceFiles, opened: OpenTexts = dict) -> None:
        self._rules = rules
        self._opened = opened

    def related(self, request: CompletionRequest, cancelled: CancelCheck) -> RelatedCode:
        """Nothing where the file is in no folder with an index, or that cannot be read."""

        def find(database: IndexDatabase, root: Path, path: str) -> RelatedCode:
            code = RepositoryCode(root, database, self._rules, self._texts(root))
            return code.related(path, request.before, request.after, cancelled)

        return self._look(request, find) or NOTHING_RELATED

    def importable(self, request: CompletionRequest, prefix: str) -> dict[str, str]:
        """Names that begin so which the text has not got at all, each with its module."""

        def find(database: IndexDatabase, _: Path, path: str) -> dict[str, str]:
            known = frozenset(IDENTIFIER.findall(f"{request.before} {request.after}"))
            found = importable(database, path, prefix)
            return {one.name: one.module for one in found if one.name not in known}

        return self._look(request, find) or {}

    def _look(
        self, request: CompletionRequest, find: Callable[[IndexDatabase, Path, str], Found]
    ) -> Found | None:
        """What is found for the request's file in the folder that it is in."""
        try:
            path = Path(request.path).resolve()
            roots = {root.resolve() for root in self._rules.roots}
            around = [root for root in roots if request.path and path.is_relative_to(root)]
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
