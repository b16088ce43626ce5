"""A workspace's modules are never imported, whatever PYTHONPATH says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lsp_server.import_path import forget_relative_entries
from tests.unit.workspaces import write_files

EVIL = "raise SystemExit('code of the workspace was run')\n"
NAMES = ("models", "completion", "retrieval", "torch", "pygls", "pip", "jedi", "cattrs")


@pytest.mark.parametrize("entries", [":", ".", ":/nowhere", "./:/nowhere:"])
@pytest.mark.parametrize("arguments", [("--version",), ("models", "list")])
def test_a_workspace_shadows_nothing(
    tmp_path: Path, entries: str, arguments: tuple[str, ...]
) -> None:
    write_files(tmp_path, {f"{name}.py": EVIL for name in NAMES})
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "lsp_server.cli", *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": entries},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_entries_that_are_absolute_stay_for_this_process_and_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {"PYTHONPATH": f"/own:.:sub:{tmp_path / 'named'}:"}
    path = [str(tmp_path), str(tmp_path / "sub"), "/own", str(tmp_path / "named"), "/usr/lib"]
    forget_relative_entries(environment, path)
    assert environment == {"PYTHONPATH": f"/own:{tmp_path / 'named'}"}
    assert path == ["/own", str(tmp_path / "named"), "/usr/lib"]


def test_without_such_entries_nothing_is_changed() -> None:
    environment = {"HOME": "/home"}
    path = ["/usr/lib", "/usr/lib/site-packages"]
    forget_relative_entries(environment, path)
    assert environment == {"HOME": "/home"}
    assert path == ["/usr/lib", "/usr/lib/site-packages"]
