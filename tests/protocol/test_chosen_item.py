"""Suggestions that go on from the item that is chosen in the editor's menu."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types

from tests.protocol.scripted import Scripted, scripted
from tests.protocol.sessions import session


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scripted]:
    async with scripted(tmp_path_factory.mktemp("workspace")) as started:
        yield started


def span(start: tuple[int, int], end: tuple[int, int]) -> types.Range:
    return types.Range(types.Position(*start), types.Position(*end))


@pytest.mark.parametrize("typed", ["gre", "GRE", "grt", ""], ids=["same", "case", "fuzzy", "all"])
async def test_the_suggestion_goes_on_from_what_is_chosen(server: Scripted, typed: str) -> None:
    editor = server.editor
    uri = editor.open(f"call_{typed}.py", f"box.{typed} # end\nmore\n")
    at = 4 + len(typed)
    where = span((0, 4), (0, at))
    chosen = types.SelectedCompletionInfo(where, "greeting")
    answer = await editor.ask(uri, 0, at, chosen=chosen)
    assert list(answer.items) == [types.InlineCompletionItem("greeting(one, two)", range=where)]
    assert server.asked[-1] == ("box.greeting", " # end\nmore\n")

    asked = len(server.asked)
    editor.change(uri, f"box.{typed} # end\n", "box.greeting # end\n")
    assert await editor.suggestions(uri, 0, 12) == ["(one, two)"]  # known once it is inserted
    assert len(server.asked) == asked


async def test_line_ends_are_the_documents(server: Scripted) -> None:
    uri = server.editor.open("windows.py", "def\r\n")
    chosen = types.SelectedCompletionInfo(span((0, 0), (0, 3)), "def f():\r\n    g")
    answer = await server.editor.ask(uri, 0, 3, chosen=chosen)
    assert [item.insert_text for item in answer.items] == ["def f():\r\n    g(one, two)"]
    assert server.asked[-1] == ("def f():\n    g", "\n")


@pytest.mark.parametrize(
    "where",
    [
        span((1, 4), (1, 6)),
        span((1, 4), (1, 8)),
        span((1, 8), (1, 4)),
        span((0, 1), (1, 7)),
        span((1, 4), (2, 2)),
    ],
    ids=["before", "behind", "backwards", "from above", "to below"],
)
async def test_a_choice_that_does_not_fit_has_no_suggestion(
    server: Scripted, where: types.Range
) -> None:
    uri = server.editor.open("call.py", "first\nbox.gre more\nand more\n")
    chosen = types.SelectedCompletionInfo(where, "greeting")
    asked = len(server.asked)
    answer = await server.editor.ask(uri, 1, 7, chosen=chosen)
    assert not answer.items
    assert len(server.asked) == asked


@pytest.mark.model
async def test_the_real_model_goes_on_from_what_is_chosen(tmp_path: Path) -> None:
    """The cache takes it as any other text: what was read before is not read again."""
    text = "import json\n\n\ndef load(path):\n    with open(path) as file:\n        return json.lo"
    async with session(tmp_path, options={"maxTokens": 16, "contextTokens": 256}) as editor:
        uri = editor.open("load.py", text)
        await editor.ask(uri, 5, 22)
        await editor.completed.get()
        chosen = types.SelectedCompletionInfo(span((5, 20), (5, 22)), "loads")
        answer = await editor.ask(uri, 5, 22, chosen=chosen)
        assert [str(item.insert_text)[:6] for item in answer.items] == ["loads("]
        told = await editor.completed.get()
        assert told["tokens"]["encoded"] <= 8 < told["tokens"]["prompt"]
