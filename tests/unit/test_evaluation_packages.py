"""Packages that repositories import, laid out as if they were installed."""

import os
import zipfile
from pathlib import Path

import pytest

from evaluation.packages import LISTS, SITE, fetch_packages
from evaluation.type_check import ChangedFile, check_files
from models.errors import DownloadError, InputError
from models.progress import Progress, ignore_progress
from retrieval.analyst.search_path import environment_folders


def write_wheel(folder: Path, name: str, files: dict[str, str]) -> None:
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(
            f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that pip looks into in place of an index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def pinned(tmp_path: Path) -> Path:
    path = tmp_path / "pinned.txt"
    path.write_text("one==1.0\ntwo==1.0\n")
    return path


def test_only_sources_are_laid_out_and_once(index: Path, pinned: Path, tmp_path: Path) -> None:
    write_wheel(
        index, "one", {"one/__init__.py": "x = 1\n", "one/data.bin": "", "one/py.typed": ""}
    )
    write_wheel(
        index, "two", {"two-1.0.data/purelib/two.pyi": "y: int\n", "two-1.0.data/scripts/a.py": ""}
    )
    told: list[Progress] = []
    environment = fetch_packages(pinned, tmp_path / "home", told.append)
    site = environment / SITE
    files = [str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()]
    assert sorted(files) == ["one/__init__.py", "one/py.typed", "two.pyi"]
    assert environment_folders(str(environment)) == (str(site),)
    assert told[-1] == Progress("fetching packages", 2, 2)
    for wheel in index.iterdir():
        wheel.unlink()
    assert fetch_packages(pinned, tmp_path / "home", told.append) == environment
    assert list((tmp_path / "home").iterdir()) == [environment]


def test_all_files_are_laid_out_for_what_is_run(index: Path, pinned: Path, tmp_path: Path) -> None:
    write_wheel(index, "one", {"one/__init__.py": "", "one/data.bin": ""})
    write_wheel(index, "two", {"two-1.0.data/purelib/two.so": ""})
    site = fetch_packages(pinned, tmp_path / "home", ignore_progress, whole=True) / SITE
    files = {str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()}
    assert {"one/__init__.py", "one/data.bin", "two.so"} < files
    read = fetch_packages(pinned, tmp_path / "home", ignore_progress)
    assert read / SITE != site


def test_nothing_is_left_of_packages_that_did_not_all_come(
    index: Path, pinned: Path, tmp_path: Path
) -> None:
    write_wheel(index, "one", {"one.py": ""})
    with pytest.raises(DownloadError, match=r"2 packages: .*two==1\.0"):
        fetch_packages(pinned, tmp_path / "home", ignore_progress)
    assert list((tmp_path / "home").iterdir()) == []


def test_a_wheel_that_leads_out_of_its_folder_is_refused(
    index: Path, pinned: Path, tmp_path: Path
) -> None:
    write_wheel(index, "one", {"../../one.py": ""})
    write_wheel(index, "two", {"two.py": ""})
    with pytest.raises(InputError, match="leads out"):
        fetch_packages(pinned, tmp_path / "home", ignore_progress)
    assert not list(tmp_path.rglob("one.py"))


def test_the_type_checker_knows_what_is_in_an_environment(tmp_path: Path) -> None:
    site = tmp_path / "environment" / SITE
    site.mkdir(parents=True)
    (site / "points.py").write_text("class Point:\n    x = 1\n")
    text = "from points import Point\nPoint.x\nPoint.y\n"
    changed = [ChangedFile("use.py", text, line, line) for line in (2, 3)]
    files = {"use.py": ""}
    known = check_files(files, changed, lambda _: None, tmp_path / "environment")
    assert [len(faults) for faults in known] == [0, 1]
    assert not any(check_files(files, changed, lambda _: None))


def test_every_package_is_pinned() -> None:
    for path in LISTS.iterdir():
        lines = path.read_text(encoding="utf-8").splitlines()
        assert lines == sorted(set(lines))
        assert all(line.count("==") == 1 for line in lines)
