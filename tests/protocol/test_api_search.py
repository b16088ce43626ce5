"""The command `pirouette.search`, as an editor calls it, with the real models."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from completion.api_ranking import MOST
from evaluation.editor_client import as_dict
from lsp_server.api_search import COMMAND
from tests.protocol.sessions import Session, own_server, session
from tests.unit.index_helpers import home_with_model
from tests.unit.workspaces import write_files

FILES = {
    "shop/mail.py": "class Mailer:\n    def send_letter(self, to): ...\n",
    "shop/fetch.py": 'def download(url):\n    """Get a page from the web."""\n',
    "main.py": "from shop.fetch import download\npage = download('x')\n",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, and a home whose only content is the embedding model."""
    home_with_model(tmp_path, monkeypatch)
    return write_files(tmp_path / "repository", FILES)


async def search(editor: Session, *arguments: Any) -> list[dict[str, Any]]:
    params = types.ExecuteCommandParams(COMMAND, list(arguments))
    found = await editor.client.workspace_execute_command_async(params)
    assert found is not None
    return [as_dict(hit) for hit in found]


@pytest.mark.model
async def test_apis_are_found_for_a_wish(root: Path) -> None:
    async with session(root, own_server("unsure"), wait=False) as editor:
        commands = editor.initialized.capabilities.execute_command_provider
        assert commands is not None
        assert COMMAND in commands.commands

        given_up = asyncio.create_task(search(editor, "send a letter"))
        await asyncio.sleep(0.2)
        first, *_ = await search(editor, "retrieve html over http")
        assert await given_up == []
        assert (first["name"], first["line"]) == ("download", 1)
        assert first["uri"] == (root / "shop" / "fetch.py").as_uri()
        assert first["example"]["text"] == "page = download('x')"

        write_files(root, {"saved_meanwhile.py": "def paint_the_fence(): ...\n"})
        first, *_ = await search(editor, "--painting a fence")
        assert first["name"] == "paint_the_fence"


async def test_a_search_that_fails_is_one_message(root: Path) -> None:
    async with session(root, own_server("unsure"), wait=False) as editor:
        assert await search(editor, "  ") == []
        assert any("the search is empty" in message for message in editor.shown())


async def test_a_setting_names_the_model_that_compares_meanings(root: Path) -> None:
    options = {"embeddingModel": "/no-such-folder"}
    async with session(root, own_server("unsure"), options=options, wait=False) as editor:
        assert await search(editor, "send a letter") == []
        assert any("'/no-such-folder' is no embedding model" in told for told in editor.shown())


CART = """class Cart:
    def add(self, item, count=1): ...
    def total(self): ...
    def trim(self, most): ...


def newest(): ...
"""
WISH = "keep no more than so many of the newest"


def home_with_both(folder: Path, model_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedding model, and the one that completes."""
    home = home_with_model(folder, monkeypatch)
    (home / "models").symlink_to(model_home / "models")


@pytest.mark.model
async def test_the_model_orders_what_is_found(
    tmp_path: Path, model_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home_with_both(tmp_path, model_home, monkeypatch)
    trimmed = "def test_that_no_more_than_the_newest_are_kept(): ...\n"
    root = write_files(tmp_path / "repository", {"cart.py": CART, "tests/test_cart.py": trimmed})
    async with session(root, own_server("observed")) as editor:
        found = [hit["name"] for hit in await search(editor, WISH)]
        assert found[0] == "Cart.trim"
        assert found[-1] == "test_that_no_more_than_the_newest_are_kept"
        assert len(editor.forwards) == len(found) == 6


@pytest.mark.model
async def test_a_key_ends_reading_what_is_found(
    tmp_path: Path, model_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home_with_both(tmp_path, model_home, monkeypatch)
    many = "".join(f"def keep_newest_{number}(most): ...\n" for number in range(30))
    root = write_files(tmp_path / "repository", {"many.py": many})
    async with session(root, own_server("observed")) as editor:
        uri = editor.open("main.py", "x = \n")
        searching = asyncio.create_task(search(editor, WISH))
        await editor.until(editor.forwarded.is_set)
        editor.insert(uri, 0, 4, "s")
        await editor.suggestions(uri, 0, 5)
        assert len(await searching) == 10
        assert len(editor.forwards) < MOST
