"""What random messages have found: each wrong message alone, and what comes of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types
from pygls.exceptions import (
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcMethodNotFound,
    JsonRpcServerNotInitialized,
)

from lsp_server.documents import Documents, file_of
from lsp_server.features import create_server
from lsp_server.settings import Settings, read_settings
from tests.protocol.random_messages import notification, opened
from tests.protocol.raw_client import Answer, RawClient, raw_client
from tests.protocol.servers import digest_of
from tests.protocol.sessions import own_server

Utf16 = types.PositionEncodingKind.Utf16
OPTIONS = {"suggestions": 1, "monitors": False, "menu": False, "relatedTokens": 0}
CODE = "class Box: ...\n"


def refusing(asked: Answer) -> Answer:
    """A client that does nothing of what it has said it would."""
    return {"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -32603, "message": "no"}}


def initialize(root: Path) -> dict[str, Any]:
    capabilities = {"workspace": {"configuration": True}, "window": {"workDoneProgress": True}}
    folder = {"uri": root.as_uri(), "name": "root"}
    return {
        "processId": None,
        "rootUri": root.as_uri(),
        "workspaceFolders": [folder, {"uri": "file://[", "name": "nowhere"}],
        "capabilities": capabilities,
        "initializationOptions": OPTIONS,
    }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(root: Path) -> AsyncIterator[RawClient]:
    """One of a server with a document `box.py`."""
    async with raw_client(own_server("echoing"), root / "log.txt", refusing) as started:
        early = await started.request("early", "textDocument/hover", {})
        assert early["error"]["code"] == JsonRpcServerNotInitialized.CODE
        await started.request("initialize", "initialize", initialize(root))
        started.send(notification("initialized", {}))
        started.send(opened(f"{root.as_uri()}/box.py", CODE))
        yield started


async def suggested(client: RawClient, number: str, uri: str) -> str:
    """What is suggested at the start of a document, once the model is ready."""
    params = {
        "textDocument": {"uri": uri},
        "position": {"line": 0, "character": 0},
        "context": {"triggerKind": 1},
    }
    async with asyncio.timeout(60):
        for attempt in range(10_000):
            method = "textDocument/inlineCompletion"
            answer = await client.request(f"{number} {attempt}", method, params)
            if items := answer["result"]["items"]:
                return str(items[0]["insertText"])
            await asyncio.sleep(0.05)
    raise AssertionError


async def test_a_model_is_loaded_for_a_client_that_refuses_everything(
    client: RawClient, root: Path
) -> None:
    assert await suggested(client, "refused", f"{root.as_uri()}/box.py") == digest_of("", CODE)


@pytest.mark.parametrize(
    ("method", "params", "error"),
    [
        ("textDocument/hover", {"nonsense": 1}, JsonRpcInvalidParams),
        ("textDocument/inlineCompletion", 7, JsonRpcInvalidParams),
        ("textDocument/didOpen", opened("file:///x.py", "")["params"], JsonRpcMethodNotFound),
        ("initialize", {"processId": None, "capabilities": {}}, JsonRpcInvalidRequest),
        (None, {}, JsonRpcInvalidRequest),
        ("no/such/method", None, JsonRpcMethodNotFound),
        ("workspace/executeCommand", {"command": "pirouette.search"}, None),
    ],
)
async def test_a_request_that_is_wrong_is_answered(
    client: RawClient, method: Any, params: Any, error: Any
) -> None:
    answer = await client.request(f"wrong {method} {params}", method, params)
    assert error is None or answer["error"]["code"] == error.CODE


async def test_what_is_inside_of_a_message_is_none(client: RawClient, root: Path) -> None:
    """An object in it may have any names."""
    uri = f"{root.as_uri()}/box.py"
    settings = {"pirouette": OPTIONS, "other": {"jsonrpc": "2.0", "id": 1}}
    client.send(notification("workspace/didChangeConfiguration", {"settings": settings}))
    inside = {"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {}}
    item = {"label": "x", "data": inside}
    answer = await client.request("inside", "completionItem/resolve", item)
    assert answer["result"]["data"] == inside
    assert await suggested(client, "inside", uri) == digest_of("", CODE)


@pytest.mark.parametrize("number", [{}, [], None, 1.5])
async def test_withdrawing_what_no_request_has_changes_nothing(
    client: RawClient, root: Path, number: Any
) -> None:
    client.send(notification("$/cancelRequest", {"id": number}))
    uri = f"{root.as_uri()}/box.py"
    assert await suggested(client, f"withdrawn {number}", uri) == digest_of("", CODE)
    assert "TypeError" not in (root / "log.txt").read_text(encoding="utf-8")


async def test_an_answer_to_a_request_of_its_own_is_none(client: RawClient, root: Path) -> None:
    """A client that answers itself still has one answer from the server."""
    params = {"command": "pirouette.index"}
    message = notification("workspace/executeCommand", params) | {"id": "its own"}
    client.send(message)
    client.send({"jsonrpc": "2.0", "id": "its own", "result": "junk"})
    await client.answered(["its own"])
    await suggested(client, "own", f"{root.as_uri()}/box.py")
    [answer] = client.answers["its own"]
    assert answer["result"] is None


async def test_halves_of_characters_are_text_like_any_other(client: RawClient, root: Path) -> None:
    uri = f"{root.as_uri()}/half.py"
    client.send(opened(uri, "x = '\ud83d'\n"))
    expected = digest_of("", "x = '\N{REPLACEMENT CHARACTER}'\n")
    assert await suggested(client, "half", uri) == expected


async def test_a_refused_rename_is_no_defect(client: RawClient, root: Path) -> None:
    uri = f"{root.as_uri()}/box.py"
    place = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 7}}
    params = place | {"newName": "two words"}
    answer = await client.request("rename", "textDocument/rename", params)
    assert answer["error"]["code"] == types.LSPErrorCodes.RequestFailed.value
    assert "offered.py" not in (root / "log.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("uri", ["file://[", "file:///a%00b.py", "file:///\ud800.py", "file:", ""])
def test_a_document_with_an_odd_name_does_not_hide_the_others(uri: str) -> None:
    documents = Documents(Utf16)
    for each in (uri, "file:///tmp/box.py"):
        documents.open(types.TextDocumentItem(each, "python", 1, CODE))
    assert file_of(uri) is None
    assert documents.texts() == {Path("/tmp/box.py"): CODE}


def test_a_number_beyond_all_bounds_is_a_bad_value() -> None:
    read = read_settings({"minimumConfidence": 10**400})
    assert read.settings == Settings()
    assert "'minimumConfidence'" in read.complaints[0]


async def test_nothing_is_kept_of_notifications() -> None:
    server = create_server(lambda *_: pytest.fail("no model is needed"))
    take: Callable[[Any], None] = server.protocol.handle_message
    take(notification("initialize", {"processId": None, "capabilities": {}}) | {"id": 1})
    for _ in range(3):
        take(opened("file:///tmp/box.py", CODE))
    await asyncio.sleep(0)
    assert await until_empty(server.protocol._request_futures)
    server.navigation.close()


async def until_empty(futures: dict[Any, Any]) -> bool:
    async with asyncio.timeout(10):
        while futures:
            await asyncio.sleep(0.01)
    return True


async def test_the_end_comes_whatever_is_under_way(root: Path) -> None:
    async with raw_client(own_server("echoing"), root / "end.txt", refusing) as client:
        await client.request("initialize", "initialize", initialize(root))
        command = {"command": "pirouette.search", "arguments": ["to open a box"]}
        for number in range(3):
            client.send(notification("workspace/executeCommand", command) | {"id": number})
        assert "error" not in await client.request("end", "shutdown")
        late = await client.request("late", "workspace/symbol", {"query": ""})
        assert late["error"]["code"] == JsonRpcInvalidRequest.CODE
        await client.answered([0, 1, 2])
        client.send(notification("exit", None))
        assert await asyncio.wait_for(client.process.wait(), 60) == 0
