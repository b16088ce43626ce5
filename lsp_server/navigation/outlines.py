"""Symbols of a file and of the workspace, what folds, and what a selection grows to; in every
language that is read, by syntax trees and the index alone."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

from lsprotocol import types

from lsp_server.navigation.names import Names, View, uri_of, uris_of
from lsp_server.text_buffer import TextBuffer
from retrieval.index.declarations import Declaration, Kind
from retrieval.index.source_files import LARGEST_FILE
from retrieval.syntax.folds import folds_of, selections_at
from retrieval.syntax.symbols import Symbol, symbols_of

MOST_SYMBOLS = 200  # of a workspace for one query
NEAR = 100  # lines that a declaration may have moved by
KINDS = {
    Kind.MODULE: types.SymbolKind.Module,
    Kind.CLASS: types.SymbolKind.Class,
    Kind.FUNCTION: types.SymbolKind.Function,
    Kind.METHOD: types.SymbolKind.Method,
    Kind.VARIABLE: types.SymbolKind.Variable,
    Kind.PROPERTY: types.SymbolKind.Property,
}


def snapshot(view: View, uri: str) -> tuple[str, TextBuffer] | None:
    """The path and the text of a document as it is now, for another thread."""
    document = view.document(uri)
    if document is None or document.path is None:
        return None
    text = document.buffer.text
    if len(text) > LARGEST_FILE:
        return None
    return str(document.path), TextBuffer(text, view.documents.encoding)


async def document_symbol(
    names: Names, params: types.DocumentSymbolParams
) -> list[types.DocumentSymbol]:
    taken = snapshot(names.view(), params.text_document.uri)
    return [] if taken is None else await asyncio.to_thread(symbols_told, *taken)


def symbols_told(path: str, buffer: TextBuffer) -> list[types.DocumentSymbol]:
    return [symbol_told(one, buffer) for one in symbols_of(path, buffer.text)]


def symbol_told(symbol: Symbol, buffer: TextBuffer) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        name=symbol.name,
        kind=KINDS[symbol.kind],
        range=range_between(buffer, symbol.start, symbol.end),
        selection_range=range_between(buffer, symbol.name_start, symbol.name_end),
        children=[symbol_told(one, buffer) for one in symbol.inside],
    )


def range_between(buffer: TextBuffer, start: int, end: int) -> types.Range:
    return types.Range(buffer.position(start), buffer.position(end))


async def folding_range(names: Names, params: types.FoldingRangeParams) -> list[types.FoldingRange]:
    taken = snapshot(names.view(), params.text_document.uri)
    return [] if taken is None else await asyncio.to_thread(folds_told, *taken)


def folds_told(path: str, buffer: TextBuffer) -> list[types.FoldingRange]:
    lines = (
        (buffer.position(fold.first).line, buffer.position(fold.last).line, fold.kind)
        for fold in folds_of(path, buffer.text)
    )
    return [
        types.FoldingRange(first, last, kind=str(kind))
        for first, last, kind in lines
        if last > first
    ]


async def selection_range(
    names: Names, params: types.SelectionRangeParams
) -> list[types.SelectionRange]:
    taken = snapshot(names.view(), params.text_document.uri)
    return [] if taken is None else await asyncio.to_thread(growing, *taken, params.positions)


def growing(
    path: str, buffer: TextBuffer, positions: Sequence[types.Position]
) -> list[types.SelectionRange]:
    """For each position the smallest range around it, with those around that one."""
    told = []
    for around in selections_at(path, buffer.text, [buffer.index(one) for one in positions]):
        outer: types.SelectionRange | None = None
        for start, end in reversed(around):
            outer = types.SelectionRange(range_between(buffer, start, end), outer)
        assert outer is not None
        told.append(outer)
    return told


async def workspace_symbol(
    names: Names, params: types.WorkspaceSymbolParams
) -> list[types.WorkspaceSymbol]:
    """Declarations of the index whose names hold the query."""
    view = names.view()
    return await asyncio.to_thread(found_in_index, view, params.query.strip())


def found_in_index(view: View, query: str) -> list[types.WorkspaceSymbol]:
    uris = uris_of(view.documents)
    texts, buffers = view.documents.texts(), dict[Path, TextBuffer]()
    told = []
    for path, declared in view.code.symbols(query, MOST_SYMBOLS):
        if path not in buffers:
            buffers[path] = TextBuffer(text_of(path, texts), view.documents.encoding)
        around, _, _ = declared.qualified.rpartition(".")
        told.append(
            types.WorkspaceSymbol(
                types.Location(uri_of(path, uris), where_named(buffers[path], declared)),
                declared.name,
                KINDS[declared.kind],
                container_name=around or path.stem,
            )
        )
    return told


def text_of(path: Path, opened: dict[Path, str]) -> str:
    try:
        return opened[path] if path in opened else path.read_bytes().decode(errors="replace")
    except OSError:
        return ""


def where_named(buffer: TextBuffer, declared: Declaration) -> types.Range:
    """The name in the lines of its declaration, or near them if these have moved since they were
    indexed."""
    name = re.compile(rf"(?<!\w){re.escape(declared.name)}(?!\w)")
    first = min(declared.first_line, buffer.line_count) - 1
    last = min(declared.last_line, buffer.line_count)
    around = range(max(0, first - NEAR), min(last + NEAR, buffer.line_count))
    nearest = sorted(around, key=lambda number: abs(number - first))
    for number in (*range(first, last), *nearest):
        if found := name.search(buffer.line(number)):
            start = buffer.index(types.Position(number, 0))
            return range_between(buffer, start + found.start(), start + found.end())
    here = types.Position(first, 0)
    return types.Range(here, here)
