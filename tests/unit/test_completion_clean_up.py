"""Clean-up: from what the model wrote to what is worth showing, as examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completion.clean_up import clean_up, whole_lines
from completion.indentation import reindent
from completion.loops import without_loop
from completion.values import CompletionRequest
from tests.unit.completion_helpers import at

REST_OF_LINE = [
    ("nothing to trim", "foo(▮)", "a, b", "a, b"),
    ("closing bracket", "foo(▮)", "a, b)", "a, b"),
    ("own brackets stay", "foo(▮)", "bar(x)", "bar(x)"),
    ("own brackets and one more", "foo(▮)", "bar(x))", "bar(x)"),
    ("two brackets", "foo(bar(▮))", "a))", "a"),
    ("one of two brackets", "foo(bar(▮))", "a)", "a"),
    ("another call after it", "foo(▮)", "a), bar(b)", "a"),
    ("brackets that pair up again", "foo(▮)", "a) + bar(b", "a) + bar(b"),
    ("brackets of two kinds", "foo([▮])", "1, 2])", "1, 2"),
    ("brackets in a string", "foo(▮)", '")"', '")"'),
    ("header", "def f(▮):", "a, b):", "a, b"),
    ("header with a result", "def f(▮):", "a) -> int:", "a"),
    ("quote and bracket", 'print("▮")', 'hello")', "hello"),
    ("quote", 'print("▮")', 'hello"', "hello"),
    ("apostrophe and bracket", "print('▮')", "hello')", "hello"),
    ("second string", 'print("▮")', 'a", end="', 'a", end="'),
    ("escaped quote", 'print("▮")', 'say \\"a\\"', 'say \\"a\\"'),
    ("rest of the line", "x = ▮if y else z", "w if y else z", "w "),
    ("space kept before it", "x = ▮if y else z", "w ", "w "),
    ("space not doubled", "x = ▮ if y else z", "w ", "w"),
    ("rest begins with a space", "x = ▮ if y else z", "w if y else z", "w"),
    ("no space before a bracket", "foo(▮)", "a ", "a"),
    ("beginning of the rest", "foo(▮y)", "x, y", "x, "),
    ("inside a name", "    self.assign_v▮__()", "ariable.__enter__()", "ariable.__enter"),
    ("written for another rest", "def f() -> dict[str, ▮belsT]:", "None]:", ""),
    ("only the rest", "    x▮ = 1", " = 1", ""),
    ("nothing", "foo(▮)", "", ""),
    ("space alone", "foo(▮)", "  ", ""),
    ("bracket in a docstring", '"""\n<Version(▮)>\n"""', "1.0)}", "1.0"),
    ("line closing an outer bracket", "x = foo(\n    a, ▮)\n", "b)", "b"),
    ("only its first line", "foo(▮)", "a)\nb", "a"),
]


@pytest.mark.parametrize(
    ("text", "written", "expected"),
    [case[1:] for case in REST_OF_LINE],
    ids=[case[0] for case in REST_OF_LINE],
)
def test_the_rest_of_the_line_is_not_written_twice(text: str, written: str, expected: str) -> None:
    assert clean_up(at(text), written) == expected


FOLLOWING_LINES = [
    ("next line", "x = 1\n▮\nreturn x\n", "y = 2\nreturn x", "y = 2"),
    ("next two lines", "▮\n\nb()\nc()\nd()\n", "a()\nb()\nc()", "a()"),
    ("same indentation only", "    ▮\n    b()\n", "if a:\n        b()", "if a:\n        b()"),
    ("line already closed", "foo(▮\n)\n", "a)", "a"),
    ("closed two lines below", "foo(▮\n    b,\n)\n", "a)", "a"),
    ("inner bracket is closed", "foo(bar(▮\n)\n", "a)", "a)"),
    ("closed in the middle of a line", "foo(▮\n    b)\n", "a,)", "a,"),
    ("not closed", "foo(▮\nbar()\n", "a)", "a)"),
    ("outer brace is no partner", "class A {\n  f() {▮\n}\n", "\n    g();\n  }", "\n    g();\n  }"),
    ("list over lines", "x = [\n    1,\n    ▮\n]\n", "2,\n]", "2,"),
    ("own list", "x = [\n    1,\n    ▮\n]\n", "[\n        2,\n    ],", "[\n        2,\n    ],"),
    ("dict", "x = {\n    'a': ▮\n}\n", "1,\n}", "1,"),
    ("auto-closed brace", "function f() {▮\n}\n", "\n  return 1;\n}", "\n  return 1;"),
    ("brace not closed", "function f() {▮\n", "\n  return 1;\n}", "\n  return 1;\n}"),
    ("bracket in a comment below", "foo(▮\n# )\n", "a)", "a)"),
    ("bracket in a docstring above", '"""(:"""\nfoo(▮\n)\n', "a)", "a"),
]


@pytest.mark.parametrize(
    ("text", "written", "expected"),
    [case[1:] for case in FOLLOWING_LINES],
    ids=[case[0] for case in FOLLOWING_LINES],
)
def test_the_lines_below_are_not_written_twice(text: str, written: str, expected: str) -> None:
    assert clean_up(at(text), written) == expected


REPETITION = [
    ("line above", "x = 1\n▮\n", "x = 1"),
    ("lines above", "a()\nb()\n▮\n", "a()\nb()"),
    ("line below", "▮\nx = 1\n", "x = 1"),
    ("line below, begun", "x▮\nx = 1\n", " = 1"),
    ("line above with the rest", "foo(a, b)\nfoo(▮, b)\n", "a"),
    ("blank text", "x = 1\n▮\n", "\n   \n"),
]


@pytest.mark.parametrize(
    ("text", "written"), [case[1:] for case in REPETITION], ids=[case[0] for case in REPETITION]
)
def test_repetition_of_what_stands_around_is_not_shown(text: str, written: str) -> None:
    assert clean_up(at(text), written) == ""


def test_closing_bracket_may_repeat_the_line_above() -> None:
    assert clean_up(at("{\n{\n}\n▮"), "}") == "}"


INDENTATION = [
    ("spaces to tabs", "\t", "if a:▮", "\n    b()\n        c()", "\n\tb()\n\t\tc()"),
    ("odd spaces after tabs", "\t", "x = f(▮", "\n      a", "\n\t  a"),
    ("tabs to two spaces", "  ", "if a:▮", "\n\tb()\n\t\tc()", "\n  b()\n    c()"),
    ("tabs to four spaces", "    ", "if a:▮", "\n\tb()", "\n    b()"),
    ("written twice", "    ", "x = 1\nif a:\n    ▮\n", "    b()\n    c()", "b()\n    c()"),
    ("written twice after a block", "    ", "if a:\n    b()\n▮", "c()", "c()"),
    ("missing after a header", "    ", "  def f():\n  ▮\n", "    a()", "    a()"),
    ("alignment in brackets", "    ", "x = foo(a,\n    ▮\n", "    b)", "    b)"),
    ("docstring", "    ", 'def f():\n    """A.\n    ▮\n    """\n', "    b", "    b"),
    ("after a comment", "    ", "if a:  # why\n    ▮\n", "    b()", "b()"),
    ("carriage return", "    ", "if a:▮", "\r\n    b()\r\n", "\n    b()"),
]


@pytest.mark.parametrize(
    ("indentation", "text", "written", "expected"),
    [case[1:] for case in INDENTATION],
    ids=[case[0] for case in INDENTATION],
)
def test_indentation_is_the_file_s_own(
    indentation: str, text: str, written: str, expected: str
) -> None:
    assert clean_up(at(text, indentation), written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("x = 1\nx = 1\nx = 1\nx = 1", "x = 1"),
        ("a\nb\na\nb\na\nb", "a\nb"),
        ("a\nb\nc\nd\n\na\nb\nc", "a\nb\nc\nd\n"),
        ("x = 1\nx = 1\ny = 2", "x = 1\nx = 1\ny = 2"),
        (")\n)\n)", ")\n)\n)"),
    ],
    ids=["one line", "two lines", "several lines", "twice is no loop", "punctuation"],
)
def test_loops_are_cut(written: str, expected: str) -> None:
    assert without_loop(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("\n    a = 1\n    b = fo", "\n    a = 1"),
        ("a()\nif b:\n    if c:\n        d", "a()"),
        ("a()\nx = foo(\n    b,\n    c", "a()"),
        ("foo(a, b", "foo(a, b"),
        ("\n    foo(a", "\n    foo(a"),
        ("", ""),
    ],
    ids=["torso", "headers", "open call", "single line", "single line below", "nothing"],
)
def test_text_cut_for_length_ends_with_a_whole_line(written: str, expected: str) -> None:
    assert whole_lines(written) == expected


PIECES = st.lists(
    st.sampled_from(
        [
            *("\n", "\r\n", "    ", "\t", " ", "x", "é", "\U0001f600", "return x", "def f():"),
            *("(", ")", "[", "]", "{", "}", '"', "'", '"""', "`", "\\", "# ", ",", ":", "\0"),
        ]
    ),
    max_size=20,
).map("".join)
INDENTATIONS = st.sampled_from(["    ", "  ", "\t", ""])


@given(before=PIECES | st.text(), after=PIECES | st.text(), written=PIECES, indent=INDENTATIONS)
def test_any_text_is_cleaned_to_something_showable(
    before: str, after: str, written: str, indent: str
) -> None:
    shown = clean_up(CompletionRequest("file.py", before, after, indent), written)

    assert shown == "" or shown.strip()
    assert "\r" not in shown
    if after.split("\n", 1)[0].strip():
        assert "\n" not in shown
    else:
        assert shown == shown.rstrip()


@given(written=PIECES, indent=INDENTATIONS)
def test_cleaning_twice_changes_nothing_where_nothing_stands_around(
    written: str, indent: str
) -> None:
    """With text around it does: each pass may find one more overlap with what follows."""
    request = CompletionRequest("file.py", "", "", indent)
    once = clean_up(request, written)

    assert clean_up(request, once) == once
    assert reindent(reindent(written, indent), indent) == reindent(written, indent)
    assert without_loop(without_loop(written)) == without_loop(written)
