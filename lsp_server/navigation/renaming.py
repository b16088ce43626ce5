"""Gives a name another one wherever it stands: all of it or nothing.

Only files of the workspace are changed that a search of it would come to. Whatever cannot be done
is refused with one line that says why.
"""

from collections import defaultdict
from collections.abc import Sequence
from keyword import iskeyword
from pathlib import Path

from lsprotocol import types

from lsp_server.navigation.names import MOST_FILES, NamePlace, Names, range_of, uri_of, uris_of
from lsp_server.positions import column_of_index
from retrieval.navigation.named_files import may_be_changed
from retrieval.navigation.questions import Asked, Found, Span

AT = types.TextDocumentPositionParams


class RefusedError(Exception):
    """A rename that is not made; its message is for the user."""


async def prepare_rename(
    names: Names, params: types.PrepareRenameParams
) -> types.PrepareRenamePlaceholder | None:
    """The name at a place, where it may be renamed as far as can be told at once."""
    place = named(names, params)
    found = await names.ask_at(Asked.DECLARATION, place)
    spans_to_change(names, place, found)
    text = place.before + place.name
    encoding = names.view().documents.encoding
    start, end = (column_of_index(text, at, encoding) for at in (place.start, len(text)))
    where = types.Range(types.Position(place.line, start), types.Position(place.line, end))
    return types.PrepareRenamePlaceholder(where, place.name)


async def rename(names: Names, params: types.RenameParams) -> types.WorkspaceEdit:
    place, name = named(names, params), params.new_name
    if not name.isidentifier() or iskeyword(name):
        raise RefusedError(f"'{name}' is no name in Python; choose another one")
    versions = {one.uri: one.version for one in names.view().documents.all()}
    files = await names.files_with(place)
    if len(files) > MOST_FILES:
        raise RefusedError(f"'{place.name}' stands in more than {MOST_FILES} files")
    found = await names.ask_at(Asked.REFERENCES, place, files)
    spans = spans_to_change(names, place, found)
    now = {one.uri: one.version for one in names.view().documents.all()}
    if now != versions:
        raise RefusedError("a text has changed meanwhile; try again")
    return edit_of(names, spans, name, versions)


def named(names: Names, params: AT | types.PrepareRenameParams | types.RenameParams) -> NamePlace:
    place = names.place(AT(params.text_document, params.position))
    if place is None:
        raise RefusedError("names are changed in the Python files of a workspace only")
    if not place.name or iskeyword(place.name):
        raise RefusedError("there is no name here that could be changed")
    return place


def spans_to_change(names: Names, place: NamePlace, found: Found | None) -> list[Span]:
    """Where the name itself stands of what was found, or why that is not changed."""
    view = names.view()
    if found is None:
        raise RefusedError(f"where '{place.name}' stands was not found in time; try again")
    spans = [span for span in found.spans if span.name == place.name]
    if any(span.is_file for span in spans):
        raise RefusedError(f"'{place.name}' is a file or folder; move that instead")
    if found.hidden or not any(span.binds for span in spans):
        raise RefusedError(f"it is not known where '{place.name}' is declared")
    for path in {span.path for span in spans}:
        if not may_be_changed(Path(path), view.roots, view.files):
            where = Path(path).name
            raise RefusedError(f"'{place.name}' also stands in {where}, which is not changed here")
    return [span for span in spans if span.text[span.start : span.end] == place.name]


def edit_of(
    names: Names, spans: Sequence[Span], name: str, versions: dict[str, int]
) -> types.WorkspaceEdit:
    """By document and version where the client knows these, so that nothing older is changed."""
    view = names.view()
    uris, encoding = uris_of(view.documents), view.documents.encoding
    edits: dict[str, list[types.TextEdit]] = defaultdict(list)
    for span in spans:
        edits[uri_of(Path(span.path), uris)].append(types.TextEdit(range_of(span, encoding), name))
    workspace = view.capabilities.workspace
    known = workspace.workspace_edit if workspace is not None else None
    if known is None or not known.document_changes:
        return types.WorkspaceEdit(changes=edits)
    identifier = types.OptionalVersionedTextDocumentIdentifier
    return types.WorkspaceEdit(
        document_changes=[
            types.TextDocumentEdit(identifier(uri, versions.get(uri)), changes)
            for uri, changes in edits.items()
        ]
    )
