"""The places of a text at which completion matters."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.metrics.keystrokes import characters_saved
from evaluation.metrics.parsing import parses
from evaluation.points.kinds import PointKind, points_in

OWN = Path(__file__).resolve().parents[2]
PYTHON = '''"""Orders of a shop."""
import json


def total(orders, rate=1.0):
    """What they cost."""
    # in the shop's own currency
    if not orders:
        return 0.0
    amount = orders.amount(rate, "EUR") * rate  # before tax
    return round(amount, 2)
'''


def hidden(text: str, path: str, kind: PointKind) -> list[str]:
    data = text.encode()
    return [
        data[point.cursor : point.end].decode()
        for point in points_in(data, path)
        if point.kind is kind
    ]


def test_each_kind_is_found_where_it_stands() -> None:
    def of(kind: PointKind) -> list[str]:
        return hidden(PYTHON, "shop.py", kind)

    assert of(PointKind.LINE) == [
        "import json",
        "def total(orders, rate=1.0):",
        "if not orders:",
        "return round(amount, 2)",
    ]
    assert of(PointKind.BLOCK) == ["return 0.0"]
    assert of(PointKind.KEYWORD) == ["not orders:", "orders:", "0.0", "round(amount, 2)"]
    assert of(PointKind.ARGUMENT) == ["amount, 2)", "2)"]
    assert of(PointKind.OPENER) == ["orders, rate=1.0):", "rate=1.0):"]


def test_what_nobody_can_guess_is_no_place() -> None:
    """Comments, docstrings, what stands before a comment, and bare punctuation."""
    found = [PYTHON.encode()[p.cursor : p.end] for p in points_in(PYTHON.encode(), "shop.py")]
    assert not any(b"#" in code or b"cost" in code or b"before tax" in code for code in found)
    assert points_in(b"f(\n)\n", "a.py")[0].end == 2  # the line itself, and not its closing bracket
    assert len(points_in(b"f(\n)\n", "a.py")) == 1
    assert points_in(b"x = 1\ry = 2\r", "a.py") == []  # two lines for Python, one for us


@pytest.mark.parametrize(
    ("path", "text", "kind", "expected"),
    [
        ("a.py", "x = a.bc\n", PointKind.DEREFERENCE, ["bc"]),
        ("a.py", "x = 1 + yz\n", PointKind.OPERATOR, ["yz"]),
        ("a.py", "x: int = fg\n", PointKind.ASSIGNMENT, ["fg"]),
        ("a.py", 'x = "a.b + c(d, e)"\n', PointKind.DEREFERENCE, []),
        ("a.ts", "const x = y?.bar(1, two);\n", PointKind.DEREFERENCE, ["bar(1, two);"]),
        ("a.ts", "const x = y.bar(1, two);\n", PointKind.ARGUMENT, ["1, two);", "two);"]),
        ("a.js", "function f() {\n  return new A(b);\n}\n", PointKind.BLOCK, ["return new A(b);"]),
        ("a.go", "func f() int {\n\tg()\n\treturn 1\n}\n", PointKind.BLOCK, ["g()\n\treturn 1"]),
        ("A.java", "class A { int f() {\n    return x + 1;\n} }\n", PointKind.OPERATOR, ["1;"]),
        ("a.txt", "x = a.b\n", PointKind.LINE, []),
    ],
)
def test_languages_are_read_alike(
    path: str, text: str, kind: PointKind, expected: list[str]
) -> None:
    assert hidden(text, path, kind) == expected


@given(st.text("ab.(),=+ \n#'\"\t{[é漢", max_size=60), st.sampled_from(["a.py", "a.ts", "a.go"]))
def test_any_text_can_be_cut_at_its_places(text: str, path: str) -> None:
    data = text.encode()
    points = points_in(data, path)
    cursors = [point.cursor for point in points]
    assert cursors == sorted(set(cursors))
    for point in points:
        parts = data[: point.cursor], data[point.cursor : point.end], data[point.end :]
        assert "".join(part.decode() for part in parts) == text
        assert parts[1].strip()
        assert "\n" not in parts[1].decode() or point.kind is PointKind.BLOCK


def test_own_sources_have_places_of_every_kind() -> None:
    text = (OWN / "completion" / "pipeline.py").read_bytes()
    assert {point.kind for point in points_in(text, "pipeline.py")} == set(PointKind)


def test_only_what_is_right_saves_typing() -> None:
    assert characters_saved("value + 1)", "value + 1)") == 1
    assert characters_saved("value - 1)", "value + 1)") == 0.6  # `value `
    assert characters_saved("values", "value") == 0
    assert characters_saved("value + 10", "value + 1") == pytest.approx(8 / 9)
    assert characters_saved("", "value") == characters_saved("value", "") == 0


@given(st.text(max_size=20), st.text(max_size=20))
def test_savings_are_shares(completion: str, truth: str) -> None:
    assert 0 <= characters_saved(completion, truth) <= 1
    assert not truth or characters_saved(truth, truth) == 1


def test_files_parse_or_not() -> None:
    assert parses("x = 1\n", "a.py")
    assert not parses("x = (1\n", "a.py")
    assert not parses("x = 1\0", "a.py")
    assert parses("\ufeffx = 1\n", "a.py")
    assert not parses("(" * 100_000, "a.py")
    assert parses("const x = 1;", "a.ts")
    assert not parses("const x = ;", "a.ts")
    assert parses("anything", "a.txt")
