"""Code of the workspace that is related to what stands at a cursor, by its folders' indexes."""

import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from completion.values import CompletionRequest
from lsp_server.index_command import index_file
from retrieval.index.database import open_existing
from retrieval.related.related_code import NOTHING_RELATED, RelatedCode, RepositoryCode
from retrieval.workspace_files import WorkspaceFiles

logger = logging.getLogger(__name__)

OpenTexts = Callable[[], Mapping[Path, str]]


class WorkspaceCode:
    """Looks into the indexes that there are; makes none.

    `opened` tells the texts that an editor has of its files. Nothing is remembered from one request
    to the next, so it may be asked by any thread.
    """

    def __init__(self, roots: Sequence[Path], opened: OpenTexts = dict) -> None:
        self._roots = roots
        self._opened = opened

    def related(self, request: CompletionRequest) -> RelatedCode:
        """Nothing where the file is in no folder with an index, or that cannot be read."""
        path = Path(request.path)
        around = [root for root in self._roots if request.path and path.is_relative_to(root)]
        if not around:
            return NOTHING_RELATED
        root = max(around, key=lambda root: len(root.parts))
        try:
            return self._related_in(root, path, request)
        except (sqlite3.Error, OSError) as error:
            logger.warning("the index was not read (%s)", type(error).__name__)
            return NOTHING_RELATED

    def _related_in(self, root: Path, path: Path, request: CompletionRequest) -> RelatedCode:
        database = open_existing(index_file(root.resolve()))
        if database is None:
            return NOTHING_RELATED
        with closing(database):
            rules = WorkspaceFiles((root,))
            opened = {
                other.relative_to(root).as_posix(): text
                for other, text in self._opened().items()
                if other.is_relative_to(root) and rules.allows(other)
            }
            code = RepositoryCode(root, database, rules, opened)
            relative = path.relative_to(root).as_posix()
            return code.related(relative, request.before, request.after)
