"""The documents the editor has open, and what a request sees of one of them."""

from dataclasses import dataclass
from pathlib import Path

from lsprotocol import types
from pygls.uris import to_fs_path

from completion.values import CompletionRequest
from lsp_server.positions import LINE_END, column_of_index
from lsp_server.text_buffer import TextBuffer


@dataclass(slots=True)
class Document:
    """An open text; `version` is the client's own count of its changes, `language` its own name."""

    uri: str
    version: int
    language: str
    buffer: TextBuffer

    @property
    def path(self) -> Path | None:
        """The file it is saved in, or None for a text that has none."""
        return file_of(self.uri)


def language_of(path: Path) -> str:
    """What an editor calls the language of a file, where that makes a difference here."""
    return "python" if path.suffix in (".py", ".pyi") else ""


def file_of(uri: str) -> Path | None:
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return Path(path) if path else None


@dataclass(frozen=True, slots=True)
class Place:
    """A cursor in one version of a document."""

    uri: str
    version: int
    language: str
    position: types.Position
    before: str
    after: str
    line_end: str
    encoding: types.PositionEncodingKind | str

    def back(self, text: str) -> types.Position:
        """Where `text` begins, which ends at the cursor, on its line."""
        width = column_of_index(text, len(text), self.encoding)
        return types.Position(self.position.line, self.position.character - width)

    def request(self, indentation: str) -> CompletionRequest:
        """What the pipeline is asked; its texts have `\\n` line ends."""
        return CompletionRequest(
            document=self.uri,
            before=LINE_END.sub("\n", self.before),
            after=LINE_END.sub("\n", self.after),
            indentation=indentation,
            path=str(file_of(self.uri) or ""),
            language=self.language,
        )

    def inserted(self, suggestion: str) -> str:
        """A suggestion with the document's own line ends."""
        return suggestion.replace("\n", self.line_end)


def place_in(document: Document, position: types.Position) -> Place:
    text = document.buffer.text
    index = document.buffer.index(position)
    first_end = LINE_END.search(text)
    return Place(
        uri=document.uri,
        version=document.version,
        language=document.language,
        position=document.buffer.position(index),
        before=text[:index],
        after=text[index:],
        line_end=first_end[0] if first_end else "\n",
        encoding=document.buffer.encoding,
    )


class Documents:
    """Open documents by URI, changed only by what the client says."""

    def __init__(self, encoding: types.PositionEncodingKind | str) -> None:
        self._encoding = encoding
        self._open: dict[str, Document] = {}

    @property
    def encoding(self) -> types.PositionEncodingKind | str:
        """In which columns are counted."""
        return self._encoding

    def open(self, item: types.TextDocumentItem) -> None:
        self._open[item.uri] = Document(
            item.uri, item.version, item.language_id, TextBuffer(item.text, self._encoding)
        )

    def change(self, params: types.DidChangeTextDocumentParams) -> None:
        """Apply changes in order; changes to a document that is not open are ignored."""
        document = self._open.get(params.text_document.uri)
        if document is None:
            return
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
