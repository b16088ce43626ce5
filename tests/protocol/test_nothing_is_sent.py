"""Nothing leaves the machine, about a person's work or any other thing.

The processes that the server starts are fenced (`tests/unit/test_retrieval_analyst_process.py`).
"""

import re
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.sessions import REPOSITORY, session
from tests.protocol.watched_server import note_into

WATCHED = Path(__file__).with_name("watched_server.py")
PLUGINS = ("vscode-extension/src", "neovim-plugin")
OUTWARD = re.compile(
    r"https?://|\bfetch\(|XMLHttpRequest|WebSocket|sendTelemetry|createTelemetryLogger"
    r"|[\"'](node:)?(https?|net|tls|dgram)[\"']|\bcurl\b|new_tcp|new_udp|sockconnect|vim\.net"
)


async def test_a_session_makes_no_connection(tmp_path: Path) -> None:
    notes, root = tmp_path / "notes", tmp_path / "workspace"
    root.mkdir()
    command = [sys.executable, "-P", str(WATCHED), str(notes), "scripted"]
    async with session(root, command, {"debounceMs": 0}) as editor:
        uri = editor.open("call.py", "import os\ncall")
        assert await editor.suggestions(uri, 1, 4) == ["(one, two)"]
        editor.insert(uri, 1, 4, "(one, two)")
        await editor.ask(uri, 1, 14, invoked=False)
        editor.erase(uri, 1, 0, 14)
        await editor.ask(uri, 1, 0, invoked=False)
    assert not notes.exists()


def test_a_connection_would_be_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[Callable[[str, tuple[Any, ...]], None]] = []
    monkeypatch.setattr(sys, "addaudithook", hooks.append)
    note_into(tmp_path / "notes")
    hooks[0]("socket.connect", (socket.socket, ("127.0.0.1", 9)))
    assert (tmp_path / "notes").read_text() == "socket.connect (('127.0.0.1', 9),)\n"


@pytest.mark.parametrize("plugin", PLUGINS)
def test_plugins_turn_to_no_address(plugin: str) -> None:
    sources = [path for path in (REPOSITORY / plugin).rglob("*") if path.suffix in (".ts", ".lua")]
    assert sources
    assert not [path for path in sources if OUTWARD.search(path.read_text(encoding="utf-8"))]
