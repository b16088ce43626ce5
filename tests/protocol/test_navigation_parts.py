"""Parts of navigation that are switched off, and a process that hangs."""

import os
import signal
from pathlib import Path

from lsprotocol import types

from tests.protocol.navigating import LIGHT, asked, opened
from tests.protocol.sessions import Session, session
from tests.protocol.test_monitors import processes_below

TEXT = "wo▮rd = 1\n"


async def test_a_part_that_is_off_is_not_offered(tmp_path: Path) -> None:
    off = {"hover": False, "rename": False, "diagnostics": False, "codeActions": False}
    async with session(tmp_path, options=LIGHT | off, wait=False) as editor:
        offered = editor.initialized.capabilities
        assert offered.hover_provider is None
        assert offered.signature_help_provider is None
        assert offered.rename_provider is None
        assert offered.code_action_provider is None
        assert offered.definition_provider
        assert offered.references_provider
        assert offered.document_symbol_provider
        assert offered.workspace_symbol_provider


async def test_what_is_switched_off_later_has_no_answers(tmp_path: Path) -> None:
    async with session(tmp_path, options=LIGHT, wait=False) as editor:
        offered = editor.initialized.capabilities
        assert offered.hover_provider
        assert isinstance(offered.rename_provider, types.RenameOptions)
        assert offered.rename_provider.prepare_provider
        at = opened(editor, "a.py", TEXT)
        assert await asked(editor, types.TEXT_DOCUMENT_HOVER, at)
        uri = editor.open("b.py", "x = (\n")
        await editor.until(lambda: bool(editor.client.diagnostics.get(uri)))
        changed = {**LIGHT, "hover": False, "diagnostics": False}
        editor.client.workspace_did_change_configuration(
            types.DidChangeConfigurationParams(changed)
        )
        await editor.until(lambda: not editor.client.diagnostics.get(uri))
        assert await asked(editor, types.TEXT_DOCUMENT_HOVER, at) is None
        assert await asked(editor, types.TEXT_DOCUMENT_DEFINITION, at)


async def test_a_process_that_is_gone_is_started_again(tmp_path: Path) -> None:
    async with session(tmp_path, options=LIGHT, wait=False) as editor:
        at = opened(editor, "a.py", TEXT)
        assert navigation_processes(editor) == []  # until something is asked
        assert await asked(editor, types.TEXT_DOCUMENT_HOVER, at)
        (process,) = navigation_processes(editor)
        os.kill(process, signal.SIGKILL)
        while not await asked(editor, types.TEXT_DOCUMENT_HOVER, at):
            pass
        (other,) = navigation_processes(editor)
        assert other != process


def navigation_processes(editor: Session) -> list[int]:
    server = editor.client._server
    assert server is not None
    return processes_below(server.pid, "retrieval.navigation.worker")
