"""Repositories to measure on: a folder with its git history, and wheels."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from evaluation.repositories import read_repository
from models.errors import InputError
from retrieval.wheel_sources import sources_of


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def commit(root: Path) -> None:
    who = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"]
    subprocess.run(["git", "-C", str(root), "add", "--all"], check=True)
    subprocess.run(
        ["git", "-C", str(root), *who, "commit", "--quiet", "--message", "change"], check=True
    )


def test_a_folder_is_read_without_what_is_ignored_or_secret(tmp_path: Path) -> None:
    files = {"a.py": "x = 1\n", "b/c.py": "y = 2\r\n", "out/d.py": "z\n", "notes.txt": "n\n"}
    root = write(tmp_path, files | {".gitignore": "out/\n", "id_rsa.py": "key = 1\n"})
    found = read_repository(root)
    assert found.files["a.py"] == "x = 1\n"
    assert found.files["b/c.py"] == "y = 2\n"
    assert set(found.files) <= {"a.py", "b/c.py", "id_rsa.py"}
    assert found.older == {}


def test_git_tells_what_files_were(tmp_path: Path) -> None:
    root = write(tmp_path, {"a.py": "x = 1\n\n"})
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    commit(root)
    write(root, {"a.py": "x = 2\n", "new.py": "y = 1\n"})
    commit(root)
    found = read_repository(root)
    assert found.files == {"a.py": "x = 2\n", "new.py": "y = 1\n"}
    assert found.older == {"a.py": "x = 1\n"}


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a folder"):
        read_repository(tmp_path / "nowhere")


def test_a_wheel_is_read_as_an_archive(tmp_path: Path) -> None:
    wheel = tmp_path / "some-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("some/a.py", "x = 1\r\n")
        archive.writestr("some/latin.py", "é".encode("latin-1"))
        archive.writestr("some/data.bin", b"\0")
    assert sources_of(wheel) == {"some/a.py": "x = 1\n"}
