"""Repositories to measure on: a folder with its git history, and wheels."""

import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from evaluation.points.sampling import draw_held_out
from evaluation.repositories import folder_name, read_repository, read_sources
from evaluation.source_folder import write_sources
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


def test_an_evaluation_is_told_what_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not there; name the root of a repository"):
        read_sources(Path("a" * 300))
    wheel = write_wheel(tmp_path / "a-1.0.whl", {"a.py": "x = 1\n"})
    local, central = b"PK\x03\x04\x14\x00", b"PK\x01\x02\x14\x03\x14\x00"
    data = wheel.read_bytes()
    for header in (local, central):  # the flags after it, of which the first is encryption
        data = data.replace(header + b"\x00", header + b"\x01")
    wheel.write_bytes(data)
    with pytest.raises(InputError, match="is no wheel"):
        read_sources(wheel)
    named = write_wheel(tmp_path / "b-1.0.whl", {"é.py": "x = 1\n"})
    named.write_bytes(named.read_bytes().replace("é".encode(), b"\xff\xff"))
    with pytest.raises(InputError, match="is no wheel"):
        read_sources(named)


def write_wheel(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_names_of_repositories_are_those_of_folders(tmp_path: Path) -> None:
    root = write(tmp_path / os.fsdecode(b"caf\xe9"), {"a.py": "x = call(1)\n"})
    repository = read_sources(root)
    assert repository.name == "caf?"
    assert draw_held_out(repository, 1, seed=0)
    assert read_sources(write_wheel(tmp_path / "...whl", {"a.py": ""})).name == "repository"
    assert folder_name("") == "repository"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"a.py": "", "a.py/b.py": ""}, "cannot be a file"),
        ({"a" * 300 + ".py": ""}, "File name too long"),
        ({"../a.py": ""}, "leads out of its repository"),
    ],
)
def test_sources_are_written_below_their_folder(
    files: dict[str, str], told: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=told):
        write_sources(files, tmp_path)


def test_what_is_too_large_in_an_archive_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = write_wheel(tmp_path / "a-1.0.whl", {"a.py": "x = 1\n", "b.py": " " * 2_000_000})
    read: list[str] = []
    plain = zipfile.ZipFile.read

    def noted(archive: zipfile.ZipFile, name: str) -> bytes:
        read.append(name)
        return plain(archive, name)

    monkeypatch.setattr(zipfile.ZipFile, "read", noted)
    assert sources_of(wheel) == {"a.py": "x = 1\n"}
    assert read == ["a.py"]
