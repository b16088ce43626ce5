"""Inline completion over the protocol: the real server process and the real default model."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from models.prefill import CHUNK_TOKENS
from tests.protocol.sessions import USUAL_OPTIONS, Session, own_server, session

FUNCTION = "def add(first: int, second: int) -> int:\n    \n\n\nprint(add(1, 2))\n"
CONTEXT = 2048

pytestmark = pytest.mark.model


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def real(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Session]:
    """One server for the tests that leave it as it was."""
    root = tmp_path_factory.mktemp("workspace")
    options = {"contextTokens": CONTEXT, "maxTokens": 16, "debounceMs": 20}
    async with session(root, own_server("observed"), options) as started:
        yield started


def long_text(functions: int) -> str:
    return "\n\n".join(
        f"def function_{i}(value: int) -> int:\n    return value * {i} + {i * i}"
        for i in range(functions)
    )


def test_the_capability_is_advertised(real: Session) -> None:
    assert real.initialized.capabilities.inline_completion_provider is not None


async def test_a_suggestion_comes_with_its_place_and_its_counts(real: Session) -> None:
    uri = real.open("counts.py", FUNCTION)
    answer = await real.ask(uri, 1, 4)
    [item] = answer.items
    assert "return" in str(item.insert_text)
    assert item.range == types.Range(types.Position(1, 4), types.Position(1, 4))
    told = await real.completed.get()
    assert told["uri"] == uri
    assert told["tokens"]["encoded"] + told["tokens"]["reused"] == told["tokens"]["prompt"]
    assert told["ms"]["total"] > 0


async def test_windows_line_ends_are_kept(real: Session) -> None:
    uri = real.open(
        "windows.py", "class Point:\n    def __init__(self, x, y):\n".replace("\n", "\r\n")
    )
    [text] = await real.suggestions(uri, 2, 0)
    assert "\n" not in text.replace("\r\n", "")


async def test_nothing_is_suggested_in_a_file_of_secrets(real: Session) -> None:
    uri = real.open(".env", "PASSWORD=")
    assert await real.suggestions(uri, 0, 9) == []


async def test_cancelling_ends_a_long_prefill_within_one_chunk(real: Session) -> None:
    text = long_text(120)
    uri = real.open("long.py", text)
    await drain(real)
    request = real.ask(uri, text.count("\n"), 4)
    await asyncio.wait_for(real.forwarded.wait(), 60)
    passes_at_cancel = len(real.forwards)
    real.client.cancel_request(types.CancelParams(last_request_id(real)))
    with pytest.raises(JsonRpcException):
        await request
    told = await asyncio.wait_for(real.completed.get(), 60)
    assert told["cancelled"]
    passes = len(real.forwards)
    assert passes <= passes_at_cancel + 1
    assert told["tokens"]["encoded"] == sum(real.forwards) == passes * CHUNK_TOKENS
    print(f"cancelled after {told['tokens']['encoded']} of about {CONTEXT} tokens")


async def test_a_burst_of_keystrokes_is_answered_for_the_last_one_only(real: Session) -> None:
    uri = real.open("burst.py", FUNCTION)
    await drain(real)
    requests = []
    for i, letter in enumerate("return first"):
        real.insert(uri, 1, 4 + i, letter)
        requests.append(real.ask(uri, 1, 5 + i, invoked=False))
    answers = await asyncio.gather(*requests)
    assert [len(answer.items) for answer in answers[:-1]] == [0] * (len(answers) - 1)
    assert "second" in str(answers[-1].items[0].insert_text)
    told = [real.completed.get_nowait() for _ in range(real.completed.qsize())]
    finished = [one for one in told if not one["cancelled"]]
    assert [one["version"] for one in finished] == [real.versions[uri]]
    encoded = sum(one["tokens"]["encoded"] for one in told)
    assert encoded <= 2 * finished[0]["tokens"]["prompt"], "what one has read the next reads again"
    print(f"{len(told) - 1} called off, {encoded} tokens encoded for all of them")


async def test_a_change_makes_an_older_request_answer_nothing(real: Session) -> None:
    uri = real.open("stale.py", long_text(20) + "\n" + FUNCTION)
    await drain(real)
    line = long_text(20).count("\n") + 2
    request = real.ask(uri, line, 4)
    await asyncio.wait_for(real.forwarded.wait(), 60)
    real.insert(uri, 0, 0, "# a new first line\n")
    assert not (await request).items


async def test_documents_do_not_disturb_each_other(real: Session) -> None:
    one = real.open("one.py", FUNCTION)
    other = real.open("other.py", FUNCTION.replace("add", "multiply"))
    answers = await asyncio.gather(real.ask(one, 1, 4), real.ask(other, 1, 4))
    assert ["+" in str(answers[0].items[0].insert_text), len(answers[1].items)] == [True, 1]


@pytest.mark.parametrize("encoding", list(types.PositionEncodingKind))
async def test_every_position_encoding_is_understood(
    tmp_path: Path, encoding: types.PositionEncodingKind
) -> None:
    async with session(tmp_path, own_server("failing"), encodings=[encoding]) as editor:
        assert editor.initialized.capabilities.position_encoding == encoding


async def test_malformed_settings_are_told_and_the_defaults_used(tmp_path: Path) -> None:
    options = {"debounceMs": "fast", "maxTokens": -5, "colour": "red", "contextTokens": 128}
    async with session(tmp_path, own_server("observed"), options) as editor:
        shown = "\n".join(editor.shown())
        assert "'debounceMs': expected a whole number; 75 is used" in shown
        assert "'maxTokens': expected 1 to 1024; 64 is used" in shown
        assert "unknown setting 'colour'" in shown
        uri = editor.open("still.py", FUNCTION)
        assert await editor.suggestions(uri, 1, 4)
        editor.client.workspace_did_change_configuration(
            types.DidChangeConfigurationParams(
                {"pirouette": {"enabled": False, "contextTokens": 128, "timeBudgetMs": 0}}
            )
        )
        assert await editor.suggestions(uri, 1, 4) == []


async def test_a_suggestion_ends_with_its_line_where_the_user_wants_that(tmp_path: Path) -> None:
    text = "class Point:\n    def __init__(self, x, y):\n        "
    told = USUAL_OPTIONS | {"contextTokens": 128}
    async with session(tmp_path, own_server("observed"), told) as editor:
        uri = editor.open("lines.py", text)
        [several] = await editor.suggestions(uri, 2, 8)
        assert "\n" in several
        editor.client.workspace_did_change_configuration(
            types.DidChangeConfigurationParams({"pirouette": told | {"singleLine": True}})
        )
        uri = editor.open("line.py", text)
        [one] = await editor.suggestions(uri, 2, 8)
        assert one == several.partition("\n")[0]


async def test_an_unknown_model_is_told_once_and_the_server_lives_on(tmp_path: Path) -> None:
    options = {"model": "no-such-model"}
    async with session(tmp_path, options=options, wait=False) as editor:
        await editor.until(lambda: bool(editor.shown()))
        assert "unknown model 'no-such-model'" in editor.shown()[0]
        uri = editor.open("alive.py", FUNCTION)
        assert await editor.suggestions(uri, 1, 4) == []
        assert len(editor.shown()) == 1


async def test_a_crash_of_a_handler_shows_nothing_and_logs_no_source_text(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with session(tmp_path, own_server("failing")) as editor:
        uri = editor.open("crash.py", "TOP_SECRET = 1\n")
        assert await editor.suggestions(uri, 1, 0) == []
        assert await editor.suggestions(uri, 0, 3) == []
    logged = capfd.readouterr().err
    assert "ValueError" in logged
    assert "TOP_SECRET" not in logged


async def test_illegal_messages_leave_the_server_answering(tmp_path: Path) -> None:
    async with session(tmp_path, own_server("failing")) as editor:
        uri = editor.open("legal.py", FUNCTION)
        writer = editor.client.protocol.writer
        assert writer is not None
        for body in (
            {"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {"nonsense": 1}},
            {"jsonrpc": "2.0", "method": "no/such/notification", "params": {}},
            {"jsonrpc": "2.0", "id": 9999, "method": "textDocument/inlineCompletion", "params": 7},
        ):
            data = json.dumps(body).encode()
            written = writer.write(b"Content-Length: %d\r\n\r\n" % len(data) + data)
            if written is not None:
                await written
        assert await editor.suggestions(uri, 99, 99) == []


async def drain(editor: Session) -> None:
    """Wait until nothing runs, and forget what was told so far."""
    seen = -1
    while seen != len(editor.forwards):  # idle work goes on after an answer
        seen = len(editor.forwards)
        await asyncio.sleep(2)
    while not editor.completed.empty():
        editor.completed.get_nowait()
    editor.forwards.clear()
    editor.forwarded.clear()


def last_request_id(editor: Session) -> str | int:
    """The id of the request sent last and not answered yet."""
    return list(editor.client.protocol._request_futures)[-1]
