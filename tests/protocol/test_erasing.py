"""Whoever erases is left alone: no model call, and only what is remembered is shown."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from lsprotocol import types

from tests.protocol.scripted import Scripted, scripted

Partial = types.TextDocumentContentChangePartial


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scripted]:
    async with scripted(tmp_path_factory.mktemp("workspace")) as started:
        yield started


def columns(start: int, end: int) -> types.Range:
    return types.Range(types.Position(0, start), types.Position(0, end))


async def test_a_run_of_backspaces_costs_no_model_call(server: Scripted) -> None:
    uri = server.editor.open("run.py", "result = compute")
    asked = len(server.told)
    for end in range(16, 4, -1):
        server.editor.erase(uri, 0, end - 1, end)
        assert await server.shown(uri, 0, end - 1) == []
    assert len(server.told) == asked


async def test_erasing_back_to_a_suggestion_shows_it_again(server: Scripted) -> None:
    uri = server.editor.open("back.py", "call")
    asked = len(server.asked)
    assert await server.shown(uri, 0, 4) == ["(one, two)"]
    server.editor.insert(uri, 0, 4, "(on")
    assert await server.shown(uri, 0, 7) == ["e, two)"]
    ahead = len(server.told)
    for column in (6, 5, 4):
        server.editor.erase(uri, 0, column, column + 1)
        assert await server.shown(uri, 0, column) == ["(one, two)"[column - 4 :]]
    server.editor.erase(uri, 0, 3, 4)
    assert await server.shown(uri, 0, 3) == []
    assert len(server.asked) == asked + 1
    assert len(server.told) <= ahead + 1  # what was under way when the first key erased


async def test_what_comes_next_is_suggested_as_ever(server: Scripted) -> None:
    uri = server.editor.open("next.py", "result = computes\nmore")
    server.editor.erase(uri, 0, 16, 17)
    asked = len(server.asked)
    assert await server.shown(uri, 0, 16) == []
    assert len(server.asked) == asked
    assert await server.editor.suggestions(uri, 0, 16) == ["(one, two)"]  # asked for by hand
    assert await server.shown(uri, 1, 4) == ["(one, two)"]  # somewhere else
    server.editor.insert(uri, 0, 16, "x")
    assert await server.shown(uri, 0, 17) == ["(one, two)"]
    assert len(server.asked) == asked + 3


@pytest.mark.parametrize(
    "changes",
    [
        [Partial(columns(9, 17), "sum")],
        [Partial(columns(12, 12), "")],
        [Partial(columns(9, 17), ""), Partial(columns(9, 9), "sum")],
        [types.TextDocumentContentChangeWholeDocument("result = sum")],
    ],
    ids=["replaced", "nothing", "twice", "whole"],
)
async def test_other_changes_are_none_that_erase(
    server: Scripted, changes: list[types.TextDocumentContentChangeEvent]
) -> None:
    uri = server.editor.open("changed.py", "result = computes")
    server.editor.erase(uri, 0, 16, 17)
    server.editor.send_changes(uri, *changes)
    assert await server.shown(uri, 0, 12) == ["(one, two)"]
