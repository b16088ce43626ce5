"""The file's own indentation: found from its text, and applied to what was written."""

import pytest

from completion.indentation import (
    begun_line,
    detect_indentation,
    indentation_width,
    reindent,
)


def nested(unit: str, levels: int = 3) -> str:
    """Blocks in blocks, with aligned arguments and a docstring as they occur in real files."""
    lines = [unit * level + f"def f{level}():" for level in range(levels)]
    call = unit * levels + "value = function(first,"
    aligned = unit * levels + " " * len("value = function(") + "second)"
    return "\n".join([*lines, call, aligned, call, aligned, unit * levels + "return value", ""])


@pytest.mark.parametrize("unit", ["\t", "  ", "   ", "    ", "        "], ids=repr)
def test_unit_is_found_among_aligned_arguments(unit: str) -> None:
    assert detect_indentation(nested(unit)) == unit


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("", "    "),
        ("x = 1\ny = 2\n", "    "),
        ("\n   \n\t\n", "    "),
        ("if (a) {\n  b();\n}\n", "  "),
        ("<ul>\n  <li>\n    a\n", "  "),
        ("function f()\n  return 1\nend\n", "  "),
        ("foo(a,\n    b)\nfoo(a,\n    b)\nif x:\n  y()\n", "  "),
        ("if a:\n\tb()\n\tc()\nif d:\n    e()\n", "\t"),
        ("if a:\n\tb()\nif d:\n    e()\n    f()\n", "    "),
        ("/*\n * a\n * b\n */\nif (a) {\n    b();\n}\n", "    "),
    ],
    ids=[
        *("empty", "flat", "blank", "braces", "markup", "words", "alignment above"),
        *("more tabs", "more spaces", "comment stars"),
    ],
)
def test_unit_of_other_files(text: str, unit: str) -> None:
    assert detect_indentation(text) == unit


def test_default_is_the_caller_s() -> None:
    assert detect_indentation("x = 1", default="\t") == "\t"


@pytest.mark.parametrize(
    ("line", "tab_width", "columns"),
    [("x", 4, 0), ("    x", 4, 4), ("\tx", 4, 4), ("\tx", 2, 2), ("  \tx", 4, 4), ("  ", 4, 2)],
)
def test_width_is_counted_in_columns(line: str, tab_width: int, columns: int) -> None:
    assert indentation_width(line, tab_width) == columns


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("a\n    b", "\t", "a\n\tb"),
        ("a\n      b", "\t", "a\n\t  b"),
        ("a\n\tb\n\t\tc", "  ", "a\n  b\n    c"),
        ("    a\n    b", "    ", "    a\n    b"),
        ("\ta", "    ", "\ta"),
        ("a\n\n  b", "    ", "a\n\n  b"),
    ],
    ids=["tabs", "rest in spaces", "spaces", "unchanged", "first line", "blank line"],
)
def test_every_line_but_the_first_is_rewritten(text: str, unit: str, expected: str) -> None:
    assert reindent(text, unit) == expected


@pytest.mark.parametrize(
    ("line", "unit", "begun"),
    [
        ("x = 1", "    ", "\n"),
        ("    x = 1", "    ", "\n    "),
        ("    def f(self):  ", "    ", "\n        "),
        ("\tcall(", "\t", "\n\t\t"),
        ("        return x", "    ", "\n    "),
        ("  return {", "  ", "\n    "),
        ("    returned = 1", "    ", "\n    "),
        ("return", "    ", "\n"),
    ],
)
def test_a_line_is_begun_as_editors_begin_it(line: str, unit: str, begun: str) -> None:
    assert begun_line(line, unit) == begun
