"""Keeping the workspace's index: what starts it again, and what it is kept from."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server import indexing
from lsp_server.aside import run_aside
from lsp_server.indexing import Indexing, folders_of, holds_everything
from models.errors import InputError
from tests.unit.workspaces import write_files

FILES = {"shop/mail.py": "x = 1\n", ".git/HEAD": "", "node_modules/left.py": "x = 1\n"}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIROUETTE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(indexing, "REST_SECONDS", 0.1)
    return write_files(tmp_path / "repository", FILES)


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not met():
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("watching", [True, False])
async def test_files_are_looked_at_first_and_after_each_change(
    root: Path, *, watching: bool
) -> None:
    told: list[str] = []
    work = Indexing()
    work.begin([root], "", told.append, watching=watching)
    await until(lambda: told == ["1 files indexed"])
    await asyncio.sleep(1)
    (root / "shop/new.py").write_text("y = 1\n")
    if not watching:
        work.note_change()
    await until(lambda: "2 files indexed" in told)
    work.end()


def test_links_and_what_others_wrote_are_not_watched(root: Path) -> None:
    (root / "everything").symlink_to("/")
    assert list(folders_of([root])) == [root, root / "shop"]


def test_all_that_a_person_has_is_no_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real/me/work").mkdir(parents=True)
    (tmp_path / "me").symlink_to(tmp_path / "real/me")
    (tmp_path / "root").symlink_to("/")
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    for everything in ("me", "real/me", "real", "root"):
        assert holds_everything(tmp_path / everything)
    assert holds_everything(Path("/"))
    assert not holds_everything(tmp_path / "me/work")


async def test_a_process_that_breaks_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho first >&2\necho no such module >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(InputError, match=r"^no such module$"):
        await run_aside("index", "--json")
    assert await indexing.update(tmp_path, "") == 0
