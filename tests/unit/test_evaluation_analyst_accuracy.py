"""Which places of a source file have an answer that is known."""

from pathlib import Path

import pytest

from evaluation.analyst_accuracy import dereferences, sample
from tests.unit.workspaces import write_files


@pytest.mark.parametrize(
    ("file", "text", "names"),
    [
        ("a.py", "import os\nos.path.join(é.x)\na.b = 1\n", ["path", "join", "x"]),
        ("a.ts", "import { one, two as b } from './b';\né.x; let t: b.T; c.d = 1;", "one two x T"),
        ("a.go", "package a\n\nvar x b.T = é.Y(c.Z)\n", "T Y Z"),
    ],
)
def test_names_that_are_read(file: str, text: str, names: str | list[str]) -> None:
    found = list(dereferences(Path(file), text))
    wanted = names.split() if isinstance(names, str) else names
    assert sorted(one.name for one in found) == sorted(wanted)
    assert all(text.startswith(one.name, one.start) for one in found)


def test_a_sample_is_of_all_the_source_files(tmp_path: Path) -> None:
    files = {"a.py": "x.one\n", "b/c.go": "package a\n\nvar x = y.Two\n", "d.d.ts": "x.three;\n"}
    write_files(tmp_path, files | {"broken.py": "x.\n", "notes.txt": "x.four\n"})
    assert {place.name for place in sample(tmp_path, 10, seed=0)} == {"one", "Two"}
