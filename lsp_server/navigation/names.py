"""Asks the navigation process about a name in an open document; tells places as an editor counts.

The process has no part in what an editor may see: that files are allowed is looked at here.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lsprotocol import types

from completion.monitors.monitors import root_of
from completion.values import PYTHON
from lsp_server.documents import Document, Documents
from lsp_server.indexing import holds_everything
from lsp_server.notebooks import code_of, is_foreign, texts_around
from lsp_server.positions import column_of_index
from lsp_server.settings import Settings
from lsp_server.workspace_code import WorkspaceCode
from retrieval.navigation.named_files import SUFFIXES, files_named
from retrieval.navigation.navigator import Navigator, navigation_worker
from retrieval.navigation.questions import Asked, Found, Question, Span
from retrieval.workspace_files import WorkspaceFiles

SECONDS = 3.0  # of work on one question
SEARCH_SECONDS = 20.0  # on one that is about many files
MOST_FILES = 400  # that a name is searched in
IN_CELLS = frozenset({Asked.HOVER, Asked.SIGNATURES})  # what is also answered in notebooks
NO_CELLS: Mapping[Path, str] = {}
IDENTIFIER = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class View:
    """What there is of a session at one moment."""

    documents: Documents
    files: WorkspaceFiles
    roots: tuple[Path, ...]
    settings: Settings
    code: WorkspaceCode
    capabilities: types.ClientCapabilities

    def document(self, uri: str) -> Document | None:
        """An open document, unless it is kept out."""
        document = self.documents.find(uri)
        if document is None or (document.file and not self.files.allows(document.file)):
            return None
        return document


@dataclass(frozen=True, slots=True)
class NamePlace:
    """A cursor in a Python text: its line, its column in characters, and the name that it is at,
    from column `start` on; the name is empty where there is none."""

    path: Path
    root: str
    line: int
    column: int
    name: str
    start: int
    before: str  # what stands on the line before the name


@dataclass(slots=True)
class Names:
    """Asks for one session."""

    view: Callable[[], View]
    navigator: Navigator = field(default_factory=Navigator)

    async def ask(self, asked: Asked, params: types.TextDocumentPositionParams) -> Found:
        """What is found at a place; nothing where no name stands in a Python file, or in time."""
        place, cells = self.place(params), dict[Path, str]()
        if place is None and asked in IN_CELLS:
            place, cells = self.place_in_cells(params)
        if place is None or not (place.name or asked is Asked.SIGNATURES):
            return Found()
        found = await self.ask_at(asked, place, cells=cells)
        return found or Found()

    async def ask_at(
        self,
        asked: Asked,
        place: NamePlace,
        files: Sequence[Path] = (),
        cells: Mapping[Path, str] = NO_CELLS,
    ) -> Found | None:
        """None where there is no answer. A place in a notebook has its `cells` with it."""
        environment = self.view().settings.python_environment or None
        worker = navigation_worker(environment)
        if self.navigator.worker != worker:
            self.navigator.close()
            self.navigator = Navigator(worker)
        texts = {str(path): text for path, text in (self.texts() | dict(cells)).items()}
        question = Question(
            asked,
            str(place.path),
            place.root,
            place.line,
            place.column,
            texts,
            list(map(str, files)),
        )
        return await self.navigator.ask(question, SEARCH_SECONDS if files else SECONDS)

    def place(self, params: types.TextDocumentPositionParams) -> NamePlace | None:
        """None in a document that is not open, kept out, no Python, or in no file."""
        view = self.view()
        document = view.document(params.text_document.uri)
        path = None if document is None else document.path
        if document is None or path is None or path.suffix not in SUFFIXES:
            return None
        return self._place_at(document, path, params.position)

    def place_in_cells(
        self, params: types.TextDocumentPositionParams
    ) -> tuple[NamePlace | None, dict[Path, str]]:
        """A place in a Python cell, as one in the text of all its notebook's cells; that text."""
        documents = self.view().documents
        document = self.view().document(params.text_document.uri)
        path = None if document is None or document.notebook is None else document.file
        if document is None or path is None or document.language != PYTHON or is_foreign(document):
            return None, {}
        earlier, later = texts_around(document, documents)
        place = self._place_at(document, path, params.position)
        place = replace(place, line=place.line + earlier.count("\n"))
        return place, {path: earlier + code_of(document) + later}

    def _place_at(self, document: Document, path: Path, position: types.Position) -> NamePlace:
        at = document.buffer.position(document.buffer.index(position))
        line = document.buffer.line(at.line)
        start_of_line = document.buffer.index(types.Position(at.line, 0))
        column = document.buffer.index(at) - start_of_line
        words = (one for one in IDENTIFIER.finditer(line) if one.start() <= column <= one.end())
        word = next(words, None)
        name, start = ("", column) if word is None else (word[0], word.start())
        root = root_of(str(path), self.view().roots)
        return NamePlace(path, root, at.line, column, name, start, line[:start])

    async def files_with(self, place: NamePlace) -> list[Path]:
        """Files of the workspace that have the name of a place, up to one more than are searched;
        none where the file is in no workspace."""
        view, root = self.view(), Path(place.root)
        if root not in view.roots or holds_everything(root):
            return []
        texts = self.texts()
        return await asyncio.to_thread(
            files_named, root, view.files, place.name, texts, MOST_FILES + 1
        )

    def texts(self) -> dict[Path, str]:
        """Of the open Python files that may be read."""
        view = self.view()
        return {
            path: text
            for path, text in view.documents.texts().items()
            if path.suffix in SUFFIXES and view.files.allows(path)
        }

    def locations(self, spans: Sequence[Span]) -> list[types.Location]:
        """Places in files that may be read."""
        view = self.view()
        uris = uris_of(view.documents)
        allowed = {path: view.files.allows(Path(path)) for path in {span.path for span in spans}}
        encoding = view.documents.encoding
        return [
            types.Location(uri_of(Path(span.path), uris), range_of(span, encoding))
            for span in spans
            if allowed[span.path]
        ]


def range_of(span: Span, encoding: types.PositionEncodingKind | str) -> types.Range:
    start, end = (column_of_index(span.text, at, encoding) for at in (span.start, span.end))
    return types.Range(types.Position(span.line, start), types.Position(span.line, end))


def uris_of(documents: Documents) -> dict[Path, str]:
    """How the editor spells the addresses of the files that it has open."""
    return {one.path: one.uri for one in documents.all() if one.path is not None}


def uri_of(path: Path, opened: dict[Path, str]) -> str:
    return opened.get(path) or path.as_uri()
