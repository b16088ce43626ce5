"""What the syntax tree of a file says: characters, symbols, folds, selections and faults."""

import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.index.declarations import Kind
from retrieval.syntax.characters import Characters
from retrieval.syntax.faults import Fault, fault_of
from retrieval.syntax.folds import folds_of, selections_at
from retrieval.syntax.symbols import Symbol, symbols_of


@given(st.text())
def test_each_byte_belongs_to_its_character(text: str) -> None:
    characters = Characters(text)
    for index in range(len(text) + 1):
        byte = len(text[:index].encode(errors="replace"))
        assert characters.at(byte) == index
        assert characters.byte_of(index) == byte


def named(symbols: list[Symbol], text: str) -> list[tuple[str, str, Kind]]:
    return [(one.name, text[one.name_start : one.name_end], one.kind) for one in symbols]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.py", "é = b = 1\n", [("é", Kind.VARIABLE), ("b", Kind.VARIABLE)]),
        ("a.py", "@wrap\nasync def f(f): ...\n", [("f", Kind.FUNCTION)]),
        ("a.py", "if x:\n    class A: ...\n", [("A", Kind.CLASS)]),
        ("a.ts", "export const f = () => 1;\n", [("f", Kind.FUNCTION)]),
        ("a.java", "class A { int size; }\n", [("A", Kind.CLASS)]),
        ("a.txt", "class A: ...\n", []),
        ("a.py", "", []),
    ],
)
def test_symbols_stand_where_they_are_named(
    path: str, text: str, expected: list[tuple[str, Kind]]
) -> None:
    found = named(symbols_of(path, text), text)
    assert found == [(name, name, kind) for name, kind in expected]


def lines_folded(path: str, text: str) -> list[tuple[int, int]]:
    return [
        (text.count("\n", 0, fold.first), text.count("\n", 0, fold.last))
        for fold in folds_of(path, text)
    ]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.py", "if x:\n    y\nelse:\n    z\n", [(0, 1), (2, 3)]),
        ("a.py", "x = 1\n", []),
        ("a.py", "def f(): return 1\n", []),
        ("a.py", "x = '''\n\n'''\n", [(0, 2)]),
        ("a.py", "# a\n\n# b\n", []),
        ("a.py", "import a\n\nimport b\n\n\n\nimport c\n", [(0, 2)]),
        ("a.ts", "function f() {\n  return [\n    1,\n  ];\n}\n", [(0, 3), (1, 2)]),
        ("a.go", 'package a\n\nimport (\n\t"b"\n)\n', [(2, 4)]),
        ("a.txt", "{\n\n}\n", []),
    ],
)
def test_what_folds(path: str, text: str, expected: list[tuple[int, int]]) -> None:
    assert lines_folded(path, text) == expected


@given(st.text("x=('#\n:[{]})\" é\U0001f389\r", max_size=60))
def test_any_text_has_folds_within_it(text: str) -> None:
    for fold in folds_of("a.py", text):
        assert 0 <= fold.first <= fold.last <= len(text)


@given(st.text("x=('#\n:[{]})\" é\U0001f389\r", max_size=60), st.integers(0, 60))
def test_selections_only_grow(text: str, index: int) -> None:
    place = min(index, len(text))
    (around,) = selections_at("a.py", text, [place])
    assert around[-1] == (0, len(text))
    for (start, end), (outer_start, outer_end) in pairwise(around):
        assert outer_start <= start <= place <= end <= outer_end


def test_what_python_says_of_a_fault() -> None:
    assert fault_of("x = (1\n") == Fault("'(' was never closed", 0, 4, None, 0)
    assert fault_of("é = '\U0001f389'; def\n") == Fault("invalid syntax", 0, 9, 0, 12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x = 1\n",
        "def f[T](x: T) -> T: return x\n",  # of Python 3.12
        "type A = int\n",
        "f'{a['b']}'\n",
        "print 'x'\n",  # of Python 2
        "return 1\n",  # is read, whatever it means
        "x = '\\d'\n",
        "x = '\u2028'\x0c\n",
        "(" * 100_000 + ")" * 100_000,
        "x" * 2_000_000 + " (",
    ],
)
def test_what_is_no_fault_or_cannot_be_told(text: str) -> None:
    fault = fault_of(text)
    assert fault is None or "nested" in fault.message


def test_a_warning_of_python_is_not_printed() -> None:
    code = "from retrieval.syntax.faults import fault_of; print(fault_of('x = \"\\\\d\"; def ('))"
    command = [sys.executable, "-P", "-W", "always", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Fault(" in done.stdout
    assert done.stderr == ""
