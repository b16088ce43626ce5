"""The type checker: names that are not there, in changed files beside the originals."""

from pathlib import Path
from typing import Any

import pytest

from evaluation import type_check
from evaluation.type_check import (
    ChangedFile,
    Fault,
    TypeCheckError,
    beside,
    check_files,
    in_environment,
)

FILES = {
    "pack/__init__.py": "from .shapes import Point\n",
    "pack/shapes.py": "class Point:\n    def __init__(self) -> None:\n        self.x = 1\n",
    "pack/use.py": "from .shapes import Point\n\n\ndef use(point: Point):\n    return point.x\n",
    # Both would be imported by an interpreter that begins here.
    "sitecustomize.py": "open('RAN', 'w')\n",
    "json.py": "open('RAN', 'w')\n",
}
HEAD = "import some_package_nobody_has as unknown\nfrom . import Point\n\n\n"


def changed(body: str, path: str = "pack/use.py", last: int = 9) -> ChangedFile:
    return ChangedFile(path, f"{HEAD}def use(point: Point):\n    {body}\n", 6, last)


def rules(faults: frozenset[Fault]) -> set[str]:
    return {fault.rule for fault in faults}


def test_what_is_not_there_is_found_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told: list[int] = []
    asked = {
        "return point.x": set(),
        "return point.y": {"reportAttributeAccessIssue"},
        "return point.y  # type: ignore": {"reportAttributeAccessIssue"},
        "return use.wrong": {"reportFunctionMemberAccess"},
        "return nowhere": {"reportUndefinedVariable"},
        "return unknown.anything(1).more": set(),
        "return point.": {"syntax"},
        "return len(point.x, 1) + 'a'": set(),
    }
    found = check_files(FILES, [changed(body) for body in asked], told.append)
    assert [rules(faults) for faults in found] == list(asked.values())
    assert told == [len(asked)]
    assert not list(tmp_path.rglob("RAN"))


def test_only_faults_on_the_named_lines_count() -> None:
    body = "first = point.y\n    return point.z"
    above, both, package = check_files(
        FILES,
        [changed(body, last=6), changed(body), changed("return point.y", "pack/__init__.py")],
        lambda _: None,
    )
    assert len(above) == 1
    assert len(both) == 2
    assert len(package) == 1


def test_files_are_checked_in_batches_and_the_same_ones_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[int] = []

    def run(folder: Path, paths: list[str], _: Path | None) -> dict[str, Any]:
        read.append(len(paths))
        assert all((folder / path).is_file() for path in paths)
        start = {"start": {"line": 5}}
        fault = {"severity": "error", "rule": "reportUndefinedVariable", "message": "m"}
        return {
            "generalDiagnostics": [
                fault | {"file": str(folder / path), "range": start} for path in paths
            ]
        }

    monkeypatch.setattr(type_check, "run_checker", run)
    monkeypatch.setattr(type_check, "BATCH", 3)
    bodies = ["one", "one", "two", "three"]
    found = check_files(FILES, [changed(body) for body in bodies], lambda _: None)
    assert read == [2, 1]
    assert found == [frozenset({Fault("reportUndefinedVariable", "m")})] * 4


@pytest.mark.parametrize("said", ["", "{}", '{"summary": {"filesAnalyzed": 0}}'])
def test_a_checker_that_does_not_answer_is_told(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Done:
        stdout = said

    monkeypatch.setattr("subprocess.run", lambda *_, **__: Done())
    with pytest.raises(TypeCheckError, match="the type checker"):
        check_files(FILES, [changed("return 1")], lambda _: None)


def test_no_file_of_the_repository_is_taken_for_a_changed_one() -> None:
    changed = [ChangedFile("a.py", "x = 1\n", 1, 1)]
    assert list(beside(changed, ["a.py"]).values()) == ["a__changed_0.py"]
    assert list(beside(changed, ["a.py", "a__changed_0.py"]).values()) == ["a__changed__0.py"]


def test_an_environment_is_the_same_wherever_the_checker_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert in_environment(Path("env")) == {"venvPath": str(tmp_path), "venv": "env"}
    assert in_environment(None) == {}
