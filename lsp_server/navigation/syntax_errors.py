"""Marks the mistake that keeps a Python text from being read, once typing rests.

A text is looked at by another thread, and what it says is told only if the text is still that one.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from lsprotocol import types

from completion.values import PYTHON
from lsp_server.navigation.names import View
from lsp_server.notebooks import code_of, is_foreign
from lsp_server.positions import column_of_index
from lsp_server.text_buffer import TextBuffer
from retrieval.navigation.named_files import SUFFIXES
from retrieval.syntax.faults import Fault, fault_of

REST_SECONDS = 0.4  # without a change, after which a text is looked at
Publish = Callable[[types.PublishDiagnosticsParams], None]


@dataclass(slots=True)
class SyntaxErrors:
    """The marks of one session, by document."""

    view: Callable[[], View]
    publish: Publish
    _looking: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)
    _marked: set[str] = field(default_factory=set)

    def look(self, uri: str) -> None:
        """Look at a document that is new or has changed, once it rests."""
        self._call_off(uri)
        self._looking[uri] = asyncio.create_task(self._look_later(uri))

    def look_at_all(self) -> None:
        """Look at every open document, as after a change of settings."""
        for document in self.view().documents.all():
            self.look(document.uri)

    def forget(self, uri: str) -> None:
        """Take the mark away from a document that is closed."""
        self._call_off(uri)
        self._tell(uri, None, [])

    def end(self) -> None:
        for uri in list(self._looking):
            self._call_off(uri)

    def _call_off(self, uri: str) -> None:
        if (task := self._looking.pop(uri, None)) is not None:
            task.cancel()

    async def _look_later(self, uri: str) -> None:
        await asyncio.sleep(REST_SECONDS)
        view = self.view()
        document = view.document(uri)
        found: list[types.Diagnostic] = []
        version = None
        if document is not None and view.settings.diagnostics:
            version = document.version
            is_python = document.language == PYTHON or (
                document.path is not None and document.path.suffix in SUFFIXES
            )
            if is_python and not is_foreign(document):
                buffer = TextBuffer(code_of(document), view.documents.encoding)
                found = await asyncio.to_thread(marks_in, buffer)
        self._looking.pop(uri, None)
        self._tell(uri, version, found)

    def _tell(self, uri: str, version: int | None, found: list[types.Diagnostic]) -> None:
        if found:
            self._marked.add(uri)
        elif uri not in self._marked:
            return
        else:
            self._marked.discard(uri)
        self.publish(types.PublishDiagnosticsParams(uri, found, version))


def marks_in(buffer: TextBuffer) -> list[types.Diagnostic]:
    """At most one: what stands below a mistake is read wrongly."""
    fault = fault_of(buffer.text)
    if fault is None:
        return []
    return [
        types.Diagnostic(
            range_of_fault(buffer, fault),
            fault.message,
            severity=types.DiagnosticSeverity.Error,
            source="pirouette",
        )
    ]


def range_of_fault(buffer: TextBuffer, fault: Fault) -> types.Range:
    """At least a character, or the end of a line."""

    def position(line: int, column: int) -> types.Position:
        number = min(line, buffer.line_count - 1)
        text = buffer.line(number)
        return types.Position(
            number, column_of_index(text, min(column, len(text)), buffer.encoding)
        )

    start = position(fault.line, fault.column)
    if fault.end_line is not None:
        end = position(fault.end_line, fault.end_column)
        if (end.line, end.character) > (start.line, start.character):
            return types.Range(start, end)
    end = position(fault.line, len(buffer.line(start.line)))
    return types.Range(start, end)
