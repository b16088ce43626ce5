"""Has the client tell of changed files, where it lets itself be asked."""

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from retrieval.grammars import GRAMMARS


async def watches_files(server: LanguageServer) -> bool:
    """Whether the client of a server tells of them from now on."""
    workspace = server.client_capabilities.workspace
    watching = workspace and workspace.did_change_watched_files
    if not (watching and watching.dynamic_registration):
        return False
    patterns = [*(f"**/*{suffix}" for suffix in GRAMMARS), "**/.gitignore"]
    watchers = [types.FileSystemWatcher(pattern) for pattern in patterns]
    method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
    options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
    registration = types.Registration(method, method, options)
    try:
        await server.client_register_capability_async(types.RegistrationParams([registration]))
    except JsonRpcException:  # a client that has said it would
        return False
    return True
