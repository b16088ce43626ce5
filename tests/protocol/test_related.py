"""Code of the workspace's other files, from the first start to a file that is saved meanwhile."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from models.store import default_home
from tests.protocol.sessions import Session, session
from tests.unit.workspaces import write_files, write_packages

USE = (
    "from shop.mail import Postbox\n\n\ndef thank(customer):\n"
    "    box = Postbox.of_street(customer.street)\n"
    "    box.drop_envelope(customer.address, stamps=2)\n"
)
BEGUN = (
    "from shop.mail import Postbox\n\n\ndef remind(customer):\n"
    "    box = Postbox.of_street(customer.street)\n    box."
)


OPTIONS = {"relatedTokens": 200, "contextTokens": 256, "maxTokens": 16}
IDLE_SECONDS = 3  # in which some lines are read


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose index will be its first."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(default_home() / "models")
    monkeypatch.setenv("PIROUETTE_HOME", str(home))
    return write_files(tmp_path / "shop", {"shop/letters.py": USE, "shop/remind.py": BEGUN})


async def asked(editor: Session, uri: str, line: int, character: int) -> dict[str, Any]:
    """What the server tells of a suggestion, once it has had time for what comes after it."""
    while not editor.completed.empty():
        editor.completed.get_nowait()
    answer = await editor.ask(uri, line, character, invoked=False)
    told = await editor.completed.get()
    await asyncio.sleep(IDLE_SECONDS)
    return told | {"text": str(answer.items[0].insert_text) if answer.items else ""}


@pytest.mark.model
async def test_what_another_file_shows_is_suggested(root: Path) -> None:
    async with session(root, options=OPTIONS) as editor:
        await editor.until(lambda: "2 files indexed" in editor.ended())
        uri = editor.open("shop/remind.py", BEGUN)
        cold = await asked(editor, uri, 5, 8)
        editor.insert(uri, 5, 8, "d")
        warm = await asked(editor, uri, 5, 9)
        assert warm["tokens"]["prompt"] > cold["tokens"]["prompt"] + 40
        assert warm["tokens"]["encoded"] <= 4
        assert warm["text"].startswith("rop_envelope(customer.address")


@pytest.mark.model
async def test_a_file_written_meanwhile_is_found(root: Path) -> None:
    (root / "shop/letters.py").unlink()
    async with session(root, options=OPTIONS) as editor:
        await editor.until(lambda: "1 files indexed" in editor.ended())
        uri = editor.open("shop/remind.py", BEGUN)
        cold = await asked(editor, uri, 5, 8)
        write_files(root, {"shop/letters.py": USE})
        async with asyncio.timeout(120):
            line, now = 5, cold
            while now["tokens"]["prompt"] < cold["tokens"]["prompt"] + 40:
                editor.insert(uri, line, 0, f"    box.step_{line}()\n")
                line += 1
                now = await asked(editor, uri, line, 8)


PIPES = (
    "class Pipe:\n    def fork_into(self, count):\n"
    '        """Splits a pipe in so many.\n\n'
    "        >>> left, right = pipe.fork_into(2)\n"
    '        """\n'
)
WISH = "from plumbing import Pipe\n\npipe = Pipe(3)\n# split the pipe in two\nleft, right = "


@pytest.mark.model
async def test_what_an_imported_package_offers_is_suggested(root: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    write_packages(environment, {"plumbing/__init__.py": PIPES})
    write_files(root, {"shop/repair.py": WISH})
    options = OPTIONS | {"pythonEnvironment": str(environment)}
    async with session(root, options=options) as editor:
        await editor.until(lambda: "3 files indexed" in editor.ended())
        uri = editor.open("shop/repair.py", WISH)
        texts = await editor.suggestions(uri, 4, 14)
        assert texts[0].strip() == "pipe.fork_into(2)"
