"""A workspace with packages of Pirouette's own names does not disturb the application."""

import json
import subprocess
from pathlib import Path

import pytest

from evaluation.editor_client import server_command
from tests.protocol.sessions import session

NAMES = ("models", "completion", "retrieval", "evaluation", "lsp_server")
SOURCE = "def add(first: int, second: int) -> int:\n    "


@pytest.fixture
def hostile_workspace(tmp_path: Path) -> Path:
    """Packages that leave a mark and raise as soon as anybody imports them."""
    for name in NAMES:
        package = tmp_path / name
        package.mkdir()
        body = (
            "import pathlib\npathlib.Path(__file__).with_name('imported').touch()\nraise SystemExit"
        )
        (package / "__init__.py").write_text(body, encoding="utf-8")
    (tmp_path / "main.py").write_text(SOURCE, encoding="utf-8")
    return tmp_path


def imported(workspace: Path) -> list[str]:
    return [name for name in NAMES if (workspace / name / "imported").exists()]


@pytest.mark.model
async def test_the_server_started_inside_it_suggests(hostile_workspace: Path) -> None:
    async with session(hostile_workspace, cwd=hostile_workspace) as editor:
        uri = editor.open("main.py", SOURCE)
        [text] = await editor.suggestions(uri, 1, 4)
    assert "return" in text
    assert imported(hostile_workspace) == []


@pytest.mark.model
def test_the_command_line_run_inside_it_suggests(hostile_workspace: Path) -> None:
    program = server_command()[0]
    finished = subprocess.run(
        [program, "complete", "main.py:2:5", "--json"],
        cwd=hostile_workspace,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    answer = json.loads(finished.stdout)
    assert "return" in answer["text"]
    assert set(answer) == {
        *("text", "range", "confidence", "model", "tokens", "ms", "monitors"),
    }
    assert imported(hostile_workspace) == []
