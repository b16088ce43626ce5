"""Renaming in the running server: everywhere or not at all."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.protocol.navigating import LIGHT, asked, opened
from tests.protocol.sessions import Session, session
from tests.unit.workspaces import write_files

FILES = {
    "shop.py": "limit = 3\n\n\ndef seal(tight=True):\n    return tight\n",
    "other.py": "from shop import limit as most, seal\n\n"
    "x = '\U0001f389', most; seal(tight=most)\n",
    "uses.py": "import shop\n\nshop.limit\n",
    "hidden.py": "ignored = 1\n",
    ".gitignore": "hidden.py\n",
    "venv/pyvenv.cfg": "",
    "venv/lib/python3.11/site-packages/installed.py": "found = 1\n",
}


@pytest.fixture(scope="module")
async def editor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Session]:
    root = write_files(tmp_path_factory.mktemp("shop"), FILES)
    options = LIGHT | {"pythonEnvironment": str(root / "venv")}
    async with session(root, options=options, wait=False) as started:
        yield started


async def renamed(editor: Session, at: Any, name: str) -> dict[str, str]:
    """The texts of all changed files, by their names, after a rename of saved texts."""
    edit = await asked(editor, types.TEXT_DOCUMENT_RENAME, at, new_name=name)
    texts = {}
    for change in edit.document_changes:
        path = Path(change.text_document.uri.removeprefix("file://"))
        opened_here = change.text_document.uri in editor.versions
        version = editor.versions[change.text_document.uri] if opened_here else None
        assert change.text_document.version == version
        lines = [line.encode("utf-16-le") for line in path.read_text().split("\n")]
        for one in sorted(change.edits, key=lambda one: -one.range.start.character):
            start, end = 2 * one.range.start.character, 2 * one.range.end.character
            line = lines[one.range.start.line]
            lines[one.range.start.line] = (
                line[:start] + one.new_text.encode("utf-16-le") + line[end:]
            )
        texts[path.name] = "\n".join(line.decode("utf-16-le") for line in lines)
    return texts


async def test_a_name_is_changed_wherever_it_stands(editor: Session) -> None:
    at = opened(editor, "shop.py", "li▮" + FILES["shop.py"][2:])
    prepared = await asked(editor, types.TEXT_DOCUMENT_PREPARE_RENAME, at)
    assert prepared.placeholder == "limit"
    assert prepared.range == types.Range(types.Position(0, 0), types.Position(0, 5))
    assert await renamed(editor, at, "bound") == {
        "shop.py": FILES["shop.py"].replace("limit", "bound"),
        "other.py": FILES["other.py"].replace("limit", "bound"),
        "uses.py": FILES["uses.py"].replace("limit", "bound"),
    }
    at.position = types.Position(4, 12)
    assert await renamed(editor, at, "firm") == {
        "shop.py": FILES["shop.py"].replace("tight", "firm"),
        "other.py": FILES["other.py"].replace("tight", "firm"),
    }


async def test_another_name_in_one_file_stays_there(editor: Session) -> None:
    at = opened(editor, "other.py", FILES["other.py"].replace(", most", ", mo▮st"))
    assert await renamed(editor, at, "mést") == {
        "other.py": FILES["other.py"].replace("most", "mést")
    }


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("r1.py", "import json\njson.lo▮ads\n", "'loads' also stands in"),
        ("r2.py", "from installed import fou▮nd\n", "'found' also stands in installed.py"),
        ("r3.py", "from hidden import ign▮ored\n", "'ignored' also stands in hidden.py"),
        ("r4.py", "import sho▮p\n", "'shop' is a file or folder; move that instead"),
        ("r5.py", "nowh▮ere\n", "it is not known where 'nowhere' is declared"),
        ("r6.py", "pri▮nt\n", "'print'"),
        ("r7.py", "import time\ntime.sle▮ep\n", "'sleep'"),
        ("r8.py", "retu▮rn\n", "there is no name here"),
        (
            "hidden.py",
            "ign▮ored = 1\n",
            "names are changed in the Python files of a workspace only",
        ),
    ],
)
async def test_what_is_not_changed_is_refused_in_one_line(
    editor: Session, name: str, text: str, reason: str
) -> None:
    at = opened(editor, name, text)
    for method, more in (
        (types.TEXT_DOCUMENT_PREPARE_RENAME, {}),
        (types.TEXT_DOCUMENT_RENAME, {"new_name": "other"}),
    ):
        with pytest.raises(JsonRpcException) as refused:
            await asked(editor, method, at, **more)
        assert reason in str(refused.value)
        assert "\n" not in refused.value.message
        assert refused.value.code == types.LSPErrorCodes.RequestFailed


async def test_outside_of_the_workspace_nothing_is_changed(editor: Session, tmp_path: Path) -> None:
    at = opened(editor, str(tmp_path / "lone.py"), "w▮ord = 1\nword\n")
    with pytest.raises(JsonRpcException, match=r"also stands in lone\.py"):
        await asked(editor, types.TEXT_DOCUMENT_PREPARE_RENAME, at)


@pytest.mark.parametrize("name", ["", "a b", "1a", "class", "a-b", "a\n"])
async def test_a_name_must_be_one(editor: Session, name: str) -> None:
    at = opened(editor, "names.py", "wo▮rd = 1\n")
    with pytest.raises(JsonRpcException, match="is no name in Python"):
        await asked(editor, types.TEXT_DOCUMENT_RENAME, at, new_name=name)
