"""Which documents the model is asked about: all but those that are nobody's business."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from lsprotocol import types

from tests.protocol.scripted import Scripted, scripted
from tests.unit.workspaces import write_files


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scripted]:
    root = write_files(tmp_path_factory.mktemp("workspace"), {".gitignore": "/build/\n"})
    async with scripted(root) as started:
        yield started


@pytest.mark.parametrize("name", ["build/made.py", ".env", "id_rsa", "deploy/credentials.json"])
async def test_nothing_is_asked_in_ignored_files_and_those_of_secrets(
    server: Scripted, name: str
) -> None:
    told = len(server.told)
    uri = server.editor.open(name, "call")
    assert await server.editor.suggestions(uri, 0, 4) == []
    assert len(server.told) == told


async def test_a_file_beside_them_is_completed(server: Scripted) -> None:
    uri = server.editor.open("made.py", "call")
    assert await server.editor.suggestions(uri, 0, 4) == ["(one, two)"]


@pytest.mark.parametrize("uri", ["vscode-vfs://github/a/b/file.py", "untitled:Untitled-1"])
async def test_a_document_in_no_file_is_completed(server: Scripted, uri: str) -> None:
    item = types.TextDocumentItem(uri, "python", 1, "call")
    server.editor.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    assert await server.editor.suggestions(uri, 0, 4) == ["(one, two)"]
    assert server.asked[-1] == ("call", "")
