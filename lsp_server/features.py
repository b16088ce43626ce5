"""What the server answers: each message of the protocol and who takes it.

Handlers of documents and of suggestions are all coroutines: pygls starts them in the order of the
messages, so that a request sees exactly the changes that were sent before it. Only the request
handlers catch every exception; they then show nothing.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lsprotocol import types

from lsp_server.api_search import COMMAND as SEARCH_COMMAND
from lsp_server.documents import file_of
from lsp_server.indexing import COMMAND as INDEX_COMMAND
from lsp_server.menu_completion import NOTHING, resolve
from lsp_server.menu_completion import OPTIONS as MENU_OPTIONS
from lsp_server.navigation.offered import offer
from lsp_server.server import NOTHING_CHOSEN, LoadModel, PirouetteServer
from lsp_server.settings import read_settings
from models.errors import PirouetteError
from retrieval.workspace_files import WorkspaceFiles

logger = logging.getLogger(__name__)


def create_server(load: LoadModel, chosen: Mapping[str, str] = NOTHING_CHOSEN) -> PirouetteServer:
    """A server with every handler in place, not yet listening."""
    server = PirouetteServer(load, chosen)

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        encoding = server.workspace.position_encoding
        server.use_encoding(encoding or types.PositionEncodingKind.Utf16)
        server.roots = workspace_roots(params)
        server.files = WorkspaceFiles(server.roots)
        server.initial = read_settings(params.initialization_options)
        offer(server, server.navigation, server.initial.settings)

    @server.feature(types.INITIALIZED)
    async def initialized(_: types.InitializedParams) -> None:
        server.take_settings(server.initial)
        await server.pull_settings()
        server.start_loading()
        server.start_indexing()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_configuration(params: types.DidChangeConfigurationParams) -> None:
        before = server.model_settings()
        if params.settings:
            server.take_settings(read_settings(params.settings))
        else:
            await server.pull_settings()
        after = server.model_settings()
        if before.of_completer() != after.of_completer():
            server.start_loading()
        if after.menu and not before.menu:
            server.start_analyst(after)
        if before.diagnostics != after.diagnostics:
            server.navigation.errors.look_at_all()
        if before.of_indexing() != after.of_indexing():
            server.start_indexing()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched_files(_: types.DidChangeWatchedFilesParams) -> None:
        server.indexing.note_change()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def did_open(params: types.DidOpenTextDocumentParams) -> None:
        server.documents.open(params.text_document)
        server.navigation.errors.look(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def did_change(params: types.DidChangeTextDocumentParams) -> None:
        server.call_off(params.text_document.uri)
        server.documents.change(params)
        server.navigation.errors.look(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def did_close(params: types.DidCloseTextDocumentParams) -> None:
        server.call_off(params.text_document.uri)
        server.documents.close(params.text_document.uri)
        server.inference.close(params.text_document.uri)
        server.navigation.errors.forget(params.text_document.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    async def did_open_notebook(params: types.DidOpenNotebookDocumentParams) -> None:
        server.notebooks.open(params)
        server.look_at_cells(params.notebook_document.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    async def did_change_notebook(params: types.DidChangeNotebookDocumentParams) -> None:
        uri = params.notebook_document.uri
        before = server.notebooks.cells(uri)
        for cell in before:
            server.call_off(cell)
        server.notebooks.change(params)
        for cell in set(before) - set(server.notebooks.cells(uri)):
            server.navigation.errors.forget(cell)
        server.look_at_cells(uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    async def did_close_notebook(params: types.DidCloseNotebookDocumentParams) -> None:
        uri = params.notebook_document.uri
        for cell in server.notebooks.cells(uri):
            server.call_off(cell)
            server.inference.close(cell)  # one that stood alone
            server.navigation.errors.forget(cell)
        server.notebooks.close(uri)
        server.inference.close(uri)

    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
    async def inline_completion(
        params: types.InlineCompletionParams,
    ) -> types.InlineCompletionList:
        try:
            return types.InlineCompletionList(await server.suggest(params))
        except Exception:
            logger.exception("a request failed; no suggestion is shown")
            return types.InlineCompletionList([])

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, MENU_OPTIONS)
    async def completion(params: types.CompletionParams) -> types.CompletionList:
        try:
            return await server.list_names(params)
        except Exception:
            logger.exception("a menu failed; none is shown")
            return NOTHING

    @server.feature(types.COMPLETION_ITEM_RESOLVE)
    async def completion_item_resolve(item: types.CompletionItem) -> types.CompletionItem:
        return await resolve(item, server.request_at, server.analyst, server.roots)

    @server.command(SEARCH_COMMAND)
    async def search(wish: str = "") -> list[dict[str, Any]]:
        try:
            embedding = server.settings.embedding_model
            order = server.inference.order_apis
            return await server.searches.search(wish, server.roots, embedding, order)
        except PirouetteError as error:
            server.tell(types.MessageType.Error, str(error))
            return []

    @server.command(INDEX_COMMAND)
    async def index() -> None:
        server.index_anew()

    @server.feature(types.SHUTDOWN)
    def shutdown(_: None) -> None:
        server.shut_down = True
        server.searches.end()
        server.end_indexing()
        server.analyst.close()
        server.navigation.close()
        server.inference.end_idle_work()

    return server


def workspace_roots(params: types.InitializeParams) -> tuple[Path, ...]:
    uris = [folder.uri for folder in params.workspace_folders or ()]
    if not uris and params.root_uri:
        uris = [params.root_uri]
    return tuple(path for uri in uris if (path := file_of(uri)))
