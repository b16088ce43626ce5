"""The command `pirouette.index`, as an editor calls it."""

from pathlib import Path

import pytest
from lsprotocol import types

from lsp_server.indexing import COMMAND
from tests.protocol.sessions import Session, own_server, session
from tests.unit.workspaces import write_files


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIROUETTE_HOME", str(tmp_path / "home"))
    return write_files(tmp_path / "repository", {"shop/mail.py": "x = 1\n"})


async def index(editor: Session) -> object:
    return await editor.client.workspace_execute_command_async(types.ExecuteCommandParams(COMMAND))


async def test_all_files_are_looked_at_anew(root: Path) -> None:
    async with session(root, own_server("scripted"), {"relatedTokens": 64}) as editor:
        commands = editor.initialized.capabilities.execute_command_provider
        assert commands is not None
        assert COMMAND in commands.commands
        await editor.until(lambda: "1 files indexed" in editor.ended())
        write_files(root, {"shop/letters.py": "y = 1\n"})
        assert await index(editor) is None
        await editor.until(lambda: "2 files indexed" in editor.ended())


async def test_one_that_is_begun_again_shows_no_progress_for_ever(root: Path) -> None:
    async with session(root, own_server("scripted"), {"relatedTokens": 64}) as editor:
        for _ in range(3):
            await index(editor)
        await editor.until(lambda: "1 files indexed" in editor.ended())
        begun = [
            token
            for token, reports in editor.client.progress_reports.items()
            if any(isinstance(report, types.WorkDoneProgressBegin) for report in reports)
        ]
        await editor.until(lambda: len(editor.ended()) == len(begun))


async def test_where_nothing_is_indexed_it_says_so(root: Path) -> None:
    async with session(root, own_server("scripted")) as editor:
        assert await index(editor) is None
        assert editor.shown() == ["Pirouette: nothing is indexed while 'relatedTokens' is 0"]
