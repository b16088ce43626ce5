"""What the indexes of a workspace's folders give to a request, and what they keep from it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from completion.values import CompletionRequest, never_cancelled
from lsp_server.cli import main
from lsp_server.index_command import index_file
from lsp_server.workspace_code import WorkspaceCode
from retrieval.index.declarations import Kind
from retrieval.related.importable import Importable
from retrieval.workspace_files import WorkspaceFiles
from tests.unit.workspaces import write_files, write_packages

USE = "def thank(mailer):\n    mailer.drop_envelope(stamps=2)\n"
FILES = {"shop/letters.py": USE, "shop/remind.py": "mailer\n"}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIROUETTE_HOME", str(tmp_path / "home"))
    return write_files(tmp_path / "repository", FILES)


def indexed(*roots: Path) -> tuple[Path, ...]:
    for root in roots:
        assert main(["index", "--no-vectors", str(root)]) == 0
    return roots


def paths(
    roots: tuple[Path, ...], file: Path | str, opened: Mapping[Path, str] | None = None
) -> list[str]:
    request = CompletionRequest("x", "mailer.drop_envelope(", "\n", path=str(file))
    code = WorkspaceCode(WorkspaceFiles(roots), lambda: opened or {})
    return [block.path for block in code.related(request, never_cancelled).blocks]


def test_other_files_of_the_folder_and_what_is_open(root: Path) -> None:
    roots = indexed(root)
    assert paths(roots, root / "shop/remind.py") == ["shop/letters.py"]
    unsaved = {root / "shop/new.py": USE.replace("thank", "greet")}
    assert set(paths(roots, root / "shop/remind.py", unsaved)) == {
        *("shop/letters.py", "shop/new.py")
    }


def test_no_index_no_folder_no_file(root: Path, tmp_path: Path) -> None:
    assert paths((root,), root / "shop/remind.py") == []
    assert not index_file(root).exists()
    roots = indexed(root)
    assert paths(roots, tmp_path / "elsewhere.py") == []
    assert paths(roots, "") == []
    index_file(root).write_bytes(b"no index" * 1_000)
    assert paths(roots, root / "shop/remind.py") == []


def test_links_lead_to_the_same_folder_and_the_own_file_stays_out(
    root: Path, tmp_path: Path
) -> None:
    linked = tmp_path / "linked"
    linked.symlink_to(root)
    indexed(root)
    assert paths((linked,), root / "shop/remind.py") == ["shop/letters.py"]
    assert paths((root,), linked / "shop/remind.py") == ["shop/letters.py"]
    (root / "shop/again.py").symlink_to(root / "shop/letters.py")
    assert paths((root,), root / "shop/again.py") == ["shop/remind.py"]


def test_what_an_outer_folder_ignores_is_read_in_none(root: Path) -> None:
    inner = root / "shop"
    write_files(root, {".git/HEAD": "", "shop/.git/HEAD": "", ".gitignore": "shop/letters.py\n"})
    roots = indexed(inner)
    assert paths(roots, inner / "remind.py") == ["letters.py"]
    assert paths((root, inner), inner / "remind.py") == []


PLUMBING = 'def split_pipe(pipe, parts):\n    """Splits a pipe into parts."""\n'
WISH = "import plumbing\n\npipe = 1\n# split it into two parts\nleft, right = "


def test_what_imported_packages_say_of_a_wish(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = tmp_path / "environment"
    packages = {"plumbing/__init__.py": PLUMBING, "roof.py": PLUMBING}
    site = write_packages(environment, packages)
    write_files(root, {"shop/taps.py": "import plumbing, os\n"})
    told = ["index", "--no-vectors", "--json", "--environment", str(environment), str(root)]
    assert main(told) == 0
    assert json.loads(capsys.readouterr().out)["packages"] == 1

    def docs(before: str, language: str = "python") -> list[str]:
        path = str(root / "shop/taps.py")
        request = CompletionRequest("x", before, "\n", path=path, language=language)
        code = WorkspaceCode(WorkspaceFiles((root,)), environment=str(environment))
        return [block.text for block in code.related(request, never_cancelled).blocks]

    assert docs(WISH) == ['def split_pipe(pipe, parts):\n    """Splits a pipe into parts."""\n']
    assert docs(WISH.replace("import", "import roof as")) == []  # which nobody has imported before
    assert docs(WISH.replace("# split", "#\n")) == []
    assert docs(WISH, "go") == []
    write_files(root, {"src/plumbing.py": ""})
    assert docs(WISH) == []  # it is the repository's own
    (root / "src/plumbing.py").unlink()
    index_file(site / "plumbing").unlink()
    assert docs(WISH) == []
    index_file(site / "plumbing").mkdir()
    assert docs(WISH) == []


def test_the_api_for_a_query_is_of_a_package_or_the_repository(root: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    write_packages(environment, {"plumbing/__init__.py": PLUMBING})
    taps = 'class Tap:\n    def turn_off(self):\n        """Stops the water."""\n'
    write_files(root, {"shop/taps.py": f"import plumbing\n{taps}"})
    told = ["index", "--no-vectors", "--environment", str(environment), str(root)]
    assert main(told) == 0
    code = WorkspaceCode(WorkspaceFiles((root,)), environment=str(environment))
    path = str(root / "shop/taps.py")
    request = CompletionRequest("x", "import plumbing\n", "", path=path, language="python")
    assert code.api_for(request, "split a pipe") == "split_pipe"
    assert code.api_for(request, "stop the water") == "Tap.turn_off"
    assert code.api_for(request, "elephants") == ""
    assert code.api_for(replace(request, before=""), "split a pipe") == ""
    assert code.api_for(replace(request, path="/nowhere.py"), "split a pipe") == ""


def test_what_cannot_be_imported_ends_nothing(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = tmp_path / "environment"
    files = {"plumbing/__init__.py": PLUMBING, "roof/__init__.py": PLUMBING}
    site = write_packages(environment, files)
    write_files(root, {"shop/taps.py": f"import plumbing\nimport roof\nimport {'a' * 300}\n"})
    index_file(site / "plumbing").mkdir(parents=True)
    told = ["index", "--no-vectors", "--json", "--environment", str(environment), str(root)]
    assert main(told) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["packages"] == 1
    assert "plumbing was not indexed" in captured.err


def test_names_that_the_text_has_not_got(root: Path) -> None:
    roots = indexed(root)
    code = WorkspaceCode(WorkspaceFiles(roots))
    thank = Importable("thank", "shop.letters", Kind.FUNCTION)
    for text, found in (("th", {"thank": thank}), ("thank()\nth", {})):
        request = CompletionRequest("x", text, "", path=str(root / "shop/remind.py"))
        assert code.importable(request, "th") == found
