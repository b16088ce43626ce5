"""The documents the editor has open, and what a request sees of one of them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lsprotocol import types
from pygls.uris import to_fs_path

from completion.values import CompletionRequest
from lsp_server.positions import LINE_END, column_of_index, well_formed
from lsp_server.text_buffer import TextBuffer


@dataclass(slots=True)
class Notebook:
    """Texts that belong together, in this order."""

    uri: str
    cells: list[types.NotebookCell]


@dataclass(slots=True)
class Document:
    """An open text; `version` is the client's own count of its changes, `language` its own name.

    `erased_at` is where the last change took text away, if it did nothing else; `notebook` the one
    that it is a cell of.
    """

    uri: str
    version: int
    language: str
    buffer: TextBuffer
    erased_at: int | None = None
    notebook: Notebook | None = None

    @property
    def path(self) -> Path | None:
        """The file whose text it is, or None for a text that has none, as a cell."""
        return file_of(self.uri) if self.notebook is None else None

    @property
    def file(self) -> Path | None:
        """The file it is saved in, maybe with other texts, which decides what may be read."""
        return file_of(self.uri if self.notebook is None else self.notebook.uri)


def language_of(path: Path) -> str:
    """What an editor calls the language of a file, where that makes a difference here."""
    return "python" if path.suffix in (".py", ".pyi") else ""


def file_of(uri: str) -> Path | None:
    """The file of a URI; None where it names none that a system could have."""
    try:
        path = to_fs_path(uri) if uri.startswith("file:") else None
        return Path(path) if path and b"\0" not in os.fsencode(path) else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Place:
    """A cursor in one version of a document.

    Where an item of the editor's menu is `chosen`, it stands before the cursor as if it had been
    inserted; what it would take the place of goes from `start` to `position`, which are the same
    where none is. `erased` says that the last change took text away here, and did nothing else.
    What stands around the document in one with other texts is `earlier` and `later`, and `document`
    names the whole; `path` is the file that it is saved in.
    """

    uri: str
    document: str
    path: str
    version: int
    language: str
    position: types.Position
    before: str
    after: str
    line_end: str
    encoding: types.PositionEncodingKind | str
    start: types.Position
    chosen: str = ""
    erased: bool = False
    earlier: str = ""
    later: str = ""

    def back(self, text: str) -> types.Position:
        """Where `text` begins, which ends at the cursor, on its line."""
        width = column_of_index(text, len(text), self.encoding)
        return types.Position(self.position.line, self.position.character - width)

    def request(self, indentation: str) -> CompletionRequest:
        """What the pipeline is asked; its texts have `\\n` line ends."""
        return CompletionRequest(
            document=self.document,
            before=self.earlier + LINE_END.sub("\n", self.before),
            after=LINE_END.sub("\n", self.after) + self.later,
            indentation=indentation,
            path=self.path,
            language=self.language,
        )

    def item(self, suggestion: str) -> types.InlineCompletionItem:
        """What an editor shows of a suggestion, with the document's own line ends."""
        text = self.chosen + suggestion.replace("\n", self.line_end)
        return types.InlineCompletionItem(text, range=types.Range(self.start, self.position))


def place_in(document: Document, position: types.Position) -> Place:
    text = document.buffer.text
    index = document.buffer.index(position)
    first_end = LINE_END.search(text)
    here = document.buffer.position(index)
    return Place(
        uri=document.uri,
        document=document.uri,
        path=str(document.file or ""),
        version=document.version,
        language=document.language,
        position=here,
        before=text[:index],
        after=text[index:],
        line_end=first_end[0] if first_end else "\n",
        encoding=document.buffer.encoding,
        start=here,
        erased=document.erased_at == index,
    )


def place_with(
    document: Document, position: types.Position, chosen: types.SelectedCompletionInfo
) -> Place | None:
    """The place once the item that is chosen in the editor's menu is inserted; None where it does
    not take the place of the end of what stands before the cursor, on its line."""
    place, buffer = place_in(document, position), document.buffer
    first, last = buffer.index(chosen.range.start), buffer.index(chosen.range.end)
    start = buffer.position(first)
    if last != len(place.before) or first > last or start.line != place.position.line:
        return None
    before = place.before[:first] + well_formed(chosen.text)
    return replace(place, before=before, start=start, chosen=chosen.text)


def erased_by(
    changes: Sequence[types.TextDocumentContentChangeEvent], buffer: TextBuffer
) -> int | None:
    """Where a change of a text takes something away, if it is the only one and puts nothing there.

    An undone insertion looks the same.
    """
    match changes:
        case [types.TextDocumentContentChangePartial(range=changed, text="")]:
            start, end = sorted((buffer.index(changed.start), buffer.index(changed.end)))
            return start if start < end else None
    return None


class Documents:
    """Open documents by URI, changed only by what the client says."""

    def __init__(self, encoding: types.PositionEncodingKind | str) -> None:
        self._encoding = encoding
        self._open: dict[str, Document] = {}

    @property
    def encoding(self) -> types.PositionEncodingKind | str:
        """In which columns are counted."""
        return self._encoding

    def open(self, item: types.TextDocumentItem, notebook: Notebook | None = None) -> None:
        """Take a text, which may be a cell of a notebook."""
        buffer = TextBuffer(item.text, self._encoding)
        self._open[item.uri] = Document(
            item.uri, item.version, item.language_id, buffer, notebook=notebook
        )

    def change(self, params: types.DidChangeTextDocumentParams) -> None:
        """Apply changes in order; changes to a document that is not open are ignored."""
        document = self._open.get(params.text_document.uri)
        if document is None:
            return
        document.erased_at = erased_by(params.content_changes, document.buffer)
        for change in params.content_changes:
            if isinstance(change, types.TextDocumentContentChangePartial):
                document.buffer.replace(change.range, change.text)
            else:
                document.buffer = TextBuffer(change.text, self._encoding)
        document.version = params.text_document.version

    def close(self, uri: str) -> None:
        self._open.pop(uri, None)

    def texts(self) -> dict[Path, str]:
        """The texts of those that are saved in files, by any thread."""
        documents = list(self._open.values())
        return {one.path: one.buffer.text for one in documents if one.path is not None}

    def all(self) -> list[Document]:
        """Those that are open now."""
        return list(self._open.values())

    def find(self, uri: str) -> Document | None:
        return self._open.get(uri)
