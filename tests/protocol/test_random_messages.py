"""Ten thousand random messages, half of them legal, over the real transport: after them the server
has every document as the editor has it, and has answered every request once."""

import asyncio
import random
import re
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.random_messages import LINE_ENDS, Editor, notification, opened
from tests.protocol.raw_client import Answer, RawClient, raw_client
from tests.protocol.servers import digest_of
from tests.protocol.sessions import own_server

MESSAGES = 10_000
OPTIONS = {"debounceMs": 0, "suggestions": 1, "monitors": False, "relatedTokens": 0}
FRAME = re.compile(r"^  \S+:\d+ in ", re.MULTILINE)  # of a traceback in the log
OWN_FRAME = re.compile(r"^  \S+/(completion|lsp_server|models|retrieval)/\S+ in ", re.MULTILINE)
HALF = re.compile("[\ud800-\udfff]")  # a character
LAST = "class Last:\n    def method(self): ...\n\n\nLast().method()\n"
AT_ONCE = 20  # messages that are sent before the pipe is looked at


def replying(draw: random.Random) -> Any:
    """A client that does not always do what it is asked."""

    def reply(asked: Answer) -> Answer:
        answers = ({"result": None}, {"result": 7}, {"error": {"code": -32603, "message": "no"}})
        return {"jsonrpc": "2.0", "id": asked["id"]} | draw.choice(answers)

    return reply


async def initialized(client: RawClient, root: Path) -> None:
    capabilities = {
        "workspace": {"configuration": True},
        "window": {"workDoneProgress": True},
        "textDocument": {},
    }
    folder = {"uri": root.as_uri(), "name": "root"}
    params = {
        "processId": None,
        "rootUri": root.as_uri(),
        "workspaceFolders": [folder],
        "capabilities": capabilities,
        "initializationOptions": OPTIONS,
    }
    answer = await client.request("initialize", "initialize", params)
    assert "inlineCompletionProvider" in answer["result"]["capabilities"]
    client.send(notification("initialized", {}))


async def expect_texts(client: RawClient, editor: Editor, name: str) -> None:
    """The server's documents are the editor's."""
    settings = {"settings": {"pirouette": OPTIONS}}
    client.send(notification("workspace/didChangeConfiguration", settings))
    for number, (uri, text) in enumerate(editor.texts.items()):
        if uri.endswith(".env"):
            continue
        params = {
            "textDocument": {"uri": uri},
            "position": {"line": 0, "character": 0},
            "context": {"triggerKind": 1},
        }
        items: list[dict[str, Any]] = []
        for attempt in range(100):  # the model of other settings may still be loading
            method = "textDocument/inlineCompletion"
            found = await client.request(f"{name} {number} {attempt}", method, params)
            if items := found["result"]["items"]:
                break
            await asyncio.sleep(0.05)
        expected = digest_of("", LINE_ENDS.sub("\n", HALF.sub("\ufffd", text)))
        assert [item["insertText"] for item in items] == [expected], uri


async def expect_answers(client: RawClient, root: Path) -> None:
    """A document that is opened now has all that it should."""
    uri = f"{root.as_uri()}/last.py"
    client.send(opened(uri, LAST))
    place = {"textDocument": {"uri": uri}, "position": {"line": 4, "character": 8}}
    symbols = await client.request("symbols", "textDocument/documentSymbol", place)
    assert [one["name"] for one in symbols["result"]] == ["Last"]
    for attempt in range(10):  # the process of navigation may be pausing after a crash
        hover = await client.request(f"hover {attempt}", "textDocument/hover", place)
        if hover["result"] is not None:
            break
    assert "method" in hover["result"]["contents"]["value"]
    menu = await client.request("menu", "textDocument/completion", place)
    assert "method" in [item["filterText"] for item in menu["result"]["items"]]


@pytest.mark.parametrize("seed", [0])
async def test_the_server_stays_true(tmp_path: Path, seed: int) -> None:
    root, log = tmp_path / "root", tmp_path / "log"
    root.mkdir()
    draw = random.Random(seed)
    editor = Editor(draw, root.as_uri())
    async with raw_client(own_server("echoing"), log, replying(draw)) as client:
        await initialized(client, root)
        for name, next_message in (("legal", editor.legal), ("any", editor.any)):
            for sent in range(MESSAGES // 2):
                client.send(next_message())
                if sent % AT_ONCE == 0 and client.process.stdin is not None:
                    await client.process.stdin.drain()
            await client.answered(editor.requests)
            await expect_texts(client, editor, name)
            if name == "legal":
                assert not FRAME.search(log.read_text(encoding="utf-8"))
                client.send_text("{no json")
        await expect_answers(client, root)
        await client.request("end", "shutdown")
        assert {
            number: len(told) for number, told in client.answers.items() if len(told) != 1
        } == {}
        assert not OWN_FRAME.search(log.read_text(encoding="utf-8"))
