"""docs/comparison.md: whatever it says of Pirouette, a test shows."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/comparison.md").read_text(encoding="utf-8")
COLUMNS = 9  # the feature, seven completers, the tests
TEST = re.compile(r"(?P<file>tests/[\w/]+\.py)::(?P<name>\w+)(?P<case>\[[^`\]]+\])?")
NOTE = re.compile(r"\[\^(\w+)\]")
UNCLAIMED = ("no", "?")


@dataclass(frozen=True, slots=True)
class Row:
    """One feature: `ours` is Pirouette's cell without its note, `tests` the last one."""

    feature: str
    ours: str
    others: tuple[str, ...]
    tests: str


def rows_of(page: str) -> Iterator[Row]:
    """All rows of the page's tables but headings, which name no feature."""
    for line in page.splitlines():
        if line.startswith("| "):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            assert len(cells) == COLUMNS, line
            feature, ours, *others, tests = cells
            if feature.strip("- "):
                yield Row(feature, NOTE.sub("", ours), tuple(others), tests)


ROWS = list(rows_of(PAGE))


@cache
def declared_in(file: str) -> dict[str, bool]:
    """The test functions of a module of tests, and whether each has parameters."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {
        node.name: any("parametrize" in ast.unparse(one) for one in node.decorator_list)
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


def exists(test: re.Match[str]) -> bool:
    """Whether there is that test; one with a case in brackets must have parameters."""
    if not (ROOT / test["file"]).is_file():
        return False
    parameters = declared_in(test["file"]).get(test["name"])
    return parameters is not None and (parameters or test["case"] is None)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.feature)
def test_a_claim_names_its_tests_and_what_is_missing_none(row: Row) -> None:
    assert row.ours != "?"
    assert bool(TEST.search(row.tests)) == (row.ours not in UNCLAIMED)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.feature)
def test_the_last_column_holds_tests_and_nothing_else(row: Row) -> None:
    named = [one for one in row.tests.split(", ") if one]
    assert [one for one in named if not TEST.fullmatch(one.strip("`"))] == []


def test_every_test_that_is_named_exists() -> None:
    named = list(TEST.finditer(PAGE))
    assert len(named) > len(ROWS) / 2
    assert [test[0] for test in named if not exists(test)] == []


@pytest.mark.parametrize(
    ("named", "there"),
    [
        ("tests/unit/test_comparison.py::test_what_counts_as_a_test", True),
        ("tests/unit/test_comparison.py::test_what_counts_as_a_test[one]", True),
        ("tests/unit/test_comparison.py::test_every_test_that_is_named_exists[one]", False),
        ("tests/unit/test_comparison.py::test_of_nothing", False),
        ("tests/unit/test_comparison.py::rows_of", False),
        ("tests/unit/test_nowhere.py::test_what_counts_as_a_test", False),
    ],
)
def test_what_counts_as_a_test(named: str, there: bool) -> None:
    found = TEST.fullmatch(named)
    assert found is not None
    assert exists(found) == there


def test_what_is_there_in_part_is_explained() -> None:
    cells = re.findall(r"\| (partly[^|]*?) (?=\|)", PAGE)
    assert cells
    assert [cell for cell in cells if not NOTE.search(cell)] == []


def test_notes_and_their_explanations_are_the_same() -> None:
    explained = re.findall(r"^\[\^(\w+)\]:", PAGE, re.MULTILINE)
    used = set(NOTE.findall(re.sub(r"^\[\^\w+\]:", "", PAGE, flags=re.MULTILINE)))
    assert len(explained) == len(set(explained))
    assert set(explained) == used


def test_the_licence_is_the_one_that_is_named() -> None:
    (licence,) = (row.ours for row in ROWS if row.feature == "licence")
    assert licence == "Apache-2.0"
    title = (ROOT / "LICENSE").read_text(encoding="utf-8").split()
    assert title[:4] == ["Apache", "License", "Version", "2.0,"]
    assert f'"{licence}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
