"""The command line: every mistake gets one clear line and exit status 2."""

import argparse
import json
import os
import re
import signal
import socket
import tempfile
import time
from pathlib import Path

import pytest

from lsp_server.cli import main
from lsp_server.doctor import examine_index
from lsp_server.index_command import index_file
from models.catalogue import CATALOGUE, DEFAULT_MODEL


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("PIROUETTE_HOME", str(home))
    return home


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "two_lines.py").write_text("first\nsecond\n", encoding="utf-8")
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00")
    (tmp_path / ".env").write_text("KEY=1\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("place", "complaint"),
    [
        ("two_lines.py", "is not FILE:LINE:COLUMN"),
        ("two_lines.py:0:1", "is not FILE:LINE:COLUMN"),
        ("two_lines.py:x:1", "is not FILE:LINE:COLUMN"),
        ("missing.py:1:1", "there is no file"),
        ("two_lines.py:9:1", "has 3 lines; line 9 is past its end"),
        ("two_lines.py:1:9", "has 5 characters; column 9 is past its end"),
        ("binary.py:1:1", "is not UTF-8 text"),
        (".env:1:1", "may hold secrets"),
        (".:1:1", "is a folder"),
    ],
)
def test_a_wrong_place_is_one_line(
    folder: Path,
    place: str,
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    assert main(["complete", place]) == 2
    assert_one_line(capsys, complaint)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "COMMAND"),
        (["dance"], "invalid choice"),
        (["complete"], "FILE:LINE:COLUMN"),
        (["complete", "a:1:1", "--colour"], "unrecognized arguments"),
        (["models", "list", "everything"], "takes no name"),
        (["models", "path", "no-such-model"], "unknown model 'no-such-model'"),
        (["models", "pull", "no-such-model"], "unknown model 'no-such-model'"),
        (["models", "pull", "./no-such-folder"], "no model folder"),
        (["serve", "--tcp", "nowhere"], "is not HOST:PORT"),
        (["serve", "--tcp", "127.0.0.1:99999"], "is not HOST:PORT"),
        (["serve", "--stdio", "--tcp", "127.0.0.1:7000"], "not allowed with"),
        (["bench", "infilling"], "--data"),
        (["bench", "infilling", "--data", "no-such-file"], "no-such-file"),
        (["bench", "metrics", "--data", "no-such-folder"], "no-such-folder"),
        (["bench", "metrics", "--data", ".", "--exact"], "leave out --adapter and --exact"),
        (["bench", "api", "--task", "private", "--data", "no-such-folder"], "no-such-folder"),
        (["bench", "juggling", "--data", "x"], "invalid choice"),
        (["bench", "infilling", "--data", "x", "--limit", "0"], "--limit"),
        (["bench", "cuts", "--limit", "0"], "--limit"),
        (["bench", "dereference", "no-such-folder"], "is not a folder"),
        (["bench", "dereference", "--samples"], "--samples"),
        (["bench", "api", "--task", "token", "--language", "java"], "name their folders"),
        (["bench", "api", "--language", "java", "."], "only the task token is for Java"),
        (["bench", "latency", "no-such-folder"], "is not a folder"),
        (["bench", "latency", ".", "--limit", "none"], "--limit"),
        (["bench", "latency", ".", "--peer", "another"], "--peer"),
        (["bench", "latency", ".", "--exact"], "leave out --exact"),
    ],
)
def test_wrong_arguments_are_one_line(
    empty_home: Path, arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert_one_line(capsys, complaint)


def test_an_occupied_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["serve", "--tcp", f"127.0.0.1:{taken.getsockname()[1]}"]) == 2
    assert_one_line(capsys, "use another port")


def test_models_are_listed_as_json(empty_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["models"]
    assert [model["name"] for model in listed] == [entry.name for entry in CATALOGUE]
    assert all(model["path"] is None for model in listed)


def test_a_model_that_is_not_here_has_no_path(
    empty_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "path", DEFAULT_MODEL]) == 1
    assert capsys.readouterr().out == ""


def test_doctor_says_what_to_do(empty_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 1
    findings = {f["subject"]: f for f in json.loads(capsys.readouterr().out)["findings"]}
    assert findings["torch"]["works"]
    assert "pirouette models pull" in findings["model"]["advice"]
    assert findings["analysis"]["works"]
    assert "fetched with the first 'pirouette search'" in findings["search"]["detail"]
    assert "is not indexed yet" in findings["index"]["detail"]


def test_doctor_says_what_is_indexed_here(
    empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "mail.py").write_text("def post(): ...\n")
    assert main(["index", "--no-vectors", str(root)]) == 0
    assert re.fullmatch(
        rf"{root}: 1 files, 2 declarations, 1 texts without vectors, written \d{{4}}-.*",
        examine_index(root).detail,
    )
    index_file(root).unlink()
    index_file(root).mkdir()
    found = examine_index(root)
    assert not found.works
    assert "remove it" in found.advice


def test_a_command_that_is_ended_puts_its_folders_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ended(_: argparse.Namespace) -> int:
        with tempfile.TemporaryDirectory(dir=tmp_path):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        return 0

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("lsp_server.cli.run_doctor", ended)
    assert main(["doctor"]) == 130
    assert capsys.readouterr().err == "pirouette: interrupted\n"
    assert not list(tmp_path.iterdir())
    assert signal.getsignal(signal.SIGTERM) is before


def assert_one_line(capsys: pytest.CaptureFixture[str], complaint: str) -> None:
    told = capsys.readouterr()
    assert complaint in told.err
    assert told.err.startswith("pirouette: ")
    assert told.err.count("\n") == 1
    assert told.out == ""
