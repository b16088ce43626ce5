"""Doubtful suggestions: not shown of the server's own accord, but when asked for."""

from pathlib import Path

import pytest
from lsprotocol import types

from tests.protocol.sessions import USUAL_OPTIONS, own_server, session


@pytest.mark.parametrize(("least", "shown"), [(0.0, 1), (0.5, 1), (0.6, 0)])
async def test_a_threshold_hides_what_was_not_asked_for(
    tmp_path: Path, least: float, shown: int
) -> None:
    options = {"minimumConfidence": least, "debounceMs": 0}
    async with session(tmp_path, own_server("unsure"), options) as editor:
        uri = editor.open("doubt.py", "x = \n")
        assert len((await editor.ask(uri, 0, 4, invoked=False)).items) == shown
        assert len((await editor.ask(uri, 0, 4, invoked=True)).items) == 1
        assert (await editor.completed.get())["confidence"] == 0.5


async def test_a_changed_threshold_loads_no_model_again(tmp_path: Path) -> None:
    async with session(tmp_path, own_server("unsure"), {"debounceMs": 0}) as editor:
        uri = editor.open("doubt.py", "x = \n")
        assert (await editor.ask(uri, 0, 4, invoked=False)).items
        loaded = len(editor.client.progress_reports)
        changed = USUAL_OPTIONS | {"debounceMs": 0, "minimumConfidence": 0.9}
        editor.client.workspace_did_change_configuration(
            types.DidChangeConfigurationParams(changed)
        )
        assert not (await editor.ask(uri, 0, 4, invoked=False)).items
        assert (await editor.ask(uri, 0, 4)).items
        assert len(editor.client.progress_reports) == loaded
