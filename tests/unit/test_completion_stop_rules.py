"""Stop rules: where a suggestion ends, as examples of text that a model would go on writing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completion.stop_rules import find_stop, stop_context
from completion.values import CompletionRequest
from tests.unit.completion_helpers import at


def kept(request: CompletionRequest, written: str) -> tuple[str, str]:
    """What is kept of `written`, and why it ended there."""
    stop = find_stop(stop_context(request), written)
    return (written, "none") if stop is None else (written[: stop.keep], stop.reason)


SINGLE_LINE = [
    ("text follows", "x = foo(▮)\n", "a, b)\ny = 1", "a, b)"),
    ("closing quote follows", 'x = "▮"\n', 'text"\n', 'text"'),
    ("nothing on this line", "foo(▮)\n", "\n    a,\n", ""),
    ("body stands below", "def f(a▮\n    return a\n", ", b):\n    return b\n", ", b):"),
    ("body after a blank line", "class A▮\n\n    x = 1\n", "(B):\n    y = 2\n", "(B):"),
    ("arguments stand below", "foo(▮\n    a,\n)\n", "first,\n    second,", "first,"),
    ("header in a block", "    if a▮\n        x()\n", " > b:\n        y()\n", " > b:"),
]


@pytest.mark.parametrize(
    ("text", "written", "expected"),
    [case[1:] for case in SINGLE_LINE],
    ids=[case[0] for case in SINGLE_LINE],
)
def test_only_the_line_is_completed(text: str, written: str, expected: str) -> None:
    assert kept(at(text), written) == (expected, "line")


def test_single_line_may_be_asked_for() -> None:
    request = CompletionRequest("file.py", "def f():", "", single_line=True)
    assert kept(request, "  # nothing\n    pass") == ("  # nothing", "line")


BLANK_LINES = [
    ("two blank lines", "▮", "x = 1\n\n\ny = 2", "x = 1"),
    ("white space in them", "▮", "x = 1\n  \n\t\ny = 2", "x = 1"),
    ("leading ones do not count", "def f():▮", "\n\n\n    return 1\n\n\n", "\n\n\n    return 1"),
    ("nothing but line ends", "▮", "\n\n\n\n\n\n", ""),
]


@pytest.mark.parametrize(
    ("text", "written", "expected"),
    [case[1:] for case in BLANK_LINES],
    ids=[case[0] for case in BLANK_LINES],
)
def test_blank_lines_end(text: str, written: str, expected: str) -> None:
    assert kept(at(text), written) == (expected, "blank lines")


SUFFIX = [
    ("next line", "▮\nreturn x\n", "x = 1\nreturn x\n", "x = 1"),
    ("trailing space in it", "▮\nreturn x  \n", "x = 1\nreturn x\n", "x = 1"),
    ("after blank lines", "▮\n\n\nreturn x\n", "x = 1\nreturn x\n", "x = 1"),
    ("at once", "    ▮\n    return x\n", "return x\n", ""),
    ("auto-closed brace", "function f() {▮\n}\n", "\n    return 1;\n}\n", "\n    return 1;"),
]


@pytest.mark.parametrize(
    ("text", "written", "expected"),
    [case[1:] for case in SUFFIX],
    ids=[case[0] for case in SUFFIX],
)
def test_next_line_of_the_file_ends(text: str, written: str, expected: str) -> None:
    assert kept(at(text), written) == (expected, "suffix")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("    ▮\n    return x\n", "if y:\n        return x\n"),
        ("▮\nreturn x\n", "x = 1\nreturn x"),
        ("▮\n]\n", "y = [\n    2,\n]\n"),
    ],
    ids=["other indentation", "line not complete", "bracket of its own"],
)
def test_what_only_resembles_the_next_line_does_not_end(text: str, written: str) -> None:
    assert kept(at(text), written) == (written, "none")


IN_FUNCTION = "def f(a):\n    x = a\n    ▮\n"
DEDENT = [
    ("blank line in a function", IN_FUNCTION, "return x\nprint(1)", "return x"),
    ("next function", IN_FUNCTION, "return x\n\ndef g():", "return x\n"),
    ("deeper lines stay", IN_FUNCTION, "if x:\n        y()\n    z()\nw()", None),
    ("shallower at once", "class A:\n    def f(self):\n        ▮\n", "\n    def g(self):", ""),
    ("doubled indentation", IN_FUNCTION, "    if x:\n        y()\n    z()\nw()", None),
    ("after a header", "def f():▮", "\n    x = 1\n\n    return x\ny = 2", None),
    ("after a statement", "x = 1▮", "\ny = 2", ""),
    ("else", "if a:▮", "\n    b()\nelse:\n    c()\nd()", None),
    ("except", "try:▮", "\n    b()\nexcept E:\n    c()\nd()", None),
    ("finally in a block", "    try:▮", "\n        b()\n    finally:\n        c()\n    d()", None),
    ("else of an outer block", "    if a:▮", "\n        b()\nelse:\n    c()", "\n        b()"),
    (
        "else that stands below",
        "if a:▮\nelse:\n    c()",
        "\n    b()\nelif d:\n    e()",
        "\n    b()",
    ),
    ("like else", "if a:▮", "\n    b()\nelsewhere = 1", "\n    b()"),
    ("else before any block", "x = 1▮", "\nelse:\n    y = 2", ""),
    ("call over lines", "x = foo(▮", "\n    a,\n    b,\n)\ny = 2", None),
    ("call, far out", "    x = foo(▮", "\n  a,\nb)\n    y = 2", None),
    ("list", "x = [▮", "\n    1,\n]\nprint(x)", None),
    ("inner bracket", "x = foo(bar(▮", "1),\n    2,\n)\ny = 2", None),
    ("bracket in a string", "x = foo(')'▮", ", '(',\n)\ny = 2", None),
    ("comment with a bracket", "def f():▮", "\n    x = 1  # (\ny = 2", "\n    x = 1  # ("),
    ("margin in a function", "def f():\n    x = 1\n▮\n", "    return x\ny = 2", "    return x"),
    ("tabs", "def f():\n\tx = 1\n\t▮\n", "if x:\n\t\ty()\n\treturn x\nz()", None),
    ("closing bracket outside", "x = [\n    1,\n    ▮\n]\n", "2,\n]\n", "2,"),
    ("closing bracket missing", "x = [\n    1,\n    ▮\n", "2,\n]\ny = 2", None),
    ("JavaScript", "function f() {▮", "\n  return 1;\n}\nf();", None),
    ("JavaScript else", "if (a) {▮", "\n  b();\n} else {\n  c();\n}\nd();", None),
    ("brace on its own line", "void f()▮", "\n{\n    g();\n}\nint x;", None),
    ("brace in a body", "f() {\n  ▮\n  x();\n}\n", "y();\n}\nz();", "y();"),
    ("Go", "func f() int {▮", "\n\treturn 1\n}\n\nfunc g() {", "\n\treturn 1\n}\n"),
    ("string over lines", "    x = f(▮", '"""\na (\n""")\n    y = 2', None),
    ("docstring with brackets", "def f():▮", '\n    """(a [b."""\n    return 1\ny = 2', None),
    ("docstring at the margin", "def f():▮", '\n    """One.\n\ntwo (\n    """\n    g()\nh()', None),
]


@pytest.mark.parametrize(
    ("text", "written", "expected"),
    [case[1:] for case in DEDENT],
    ids=[case[0] for case in DEDENT],
)
def test_lines_outside_the_block_end(text: str, written: str, expected: str | None) -> None:
    """Without an `expected` text, everything but the last line is kept."""
    if expected is None:
        expected = written.rstrip("\n").rpartition("\n")[0]
    assert kept(at(text), written) == (expected, "dedent")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("if a:▮", "\n    b()\nel"),
        ("if a:▮", "\n    b()\nelse:\n    c()"),
        ("x = foo(\n    a,\n    ▮", "b,\n)"),
        ("def f():▮", "\n    x = {\n}"),
        ('def f():\n    """▮', 'One.\n\n    Two.\n"""'),
        ("x = 1\n▮\n", "if x:\n    y()\nz()\n"),
    ],
    ids=[
        *("may become else", "else", "missing bracket", "bracket at the margin"),
        *("new docstring", "margin of a module"),
    ],
)
def test_what_belongs_to_the_statement_goes_on(text: str, written: str) -> None:
    assert kept(at(text), written) == (written, "none")


def test_prose_in_a_docstring_ends_with_its_line() -> None:
    text = 'def f():\n    """Say▮\n\n    More.\n    """\n'
    assert kept(at(text), " it.\n    And again.\n") == (" it.", "dedent")


SIBLINGS = "def a(self):\n        return 1\n\n    def b(self):\n        return 2"


def test_second_definition_ends() -> None:
    expected = "def a(self):\n        return 1\n"
    assert kept(at("class A:\n    ▮\n"), SIBLINGS) == (expected, "sibling")


@pytest.mark.parametrize(
    "written",
    [
        "self.a = 1\n\n    self.b = 2",
        "if a:\n        b()\n    if c:",
        "if a:\n        b\n\n    iffy",
    ],
    ids=["no block", "no blank line", "other word"],
)
def test_lines_that_only_resemble_a_second_definition_go_on(written: str) -> None:
    assert kept(at("class A:\n    ▮\n"), written) == (written, "none")


def test_fence_ends_unless_the_file_has_fences() -> None:
    written = "x = 1\n```\nThis sets x."
    assert kept(at("▮"), written) == ("x = 1", "fence")
    assert kept(at("```\n▮"), written) == (written, "none")


def test_loop_ends() -> None:
    written = "a\nb\nc\na\nb\nc\na"
    assert kept(at("▮"), written) == ("a\nb\nc", "loop")


EVERY_EXAMPLE = [case[1:3] for case in (*BLANK_LINES, *SUFFIX, *DEDENT)]


@pytest.mark.parametrize(("text", "written"), EVERY_EXAMPLE)
def test_text_fed_character_by_character_ends_at_the_same_place(text: str, written: str) -> None:
    assert_same_when_fed_slowly(at(text), written)


CODE = st.lists(
    st.sampled_from(
        [
            *("\n", "\n    ", "\n        ", "\n\n", "\t", " ", "x", "def f", "else", "el", ":"),
            *("(", ")", "[", "]", "{", "}", '"', "'", '"""', "`", "\\", "# ", "//", "```", "é"),
        ]
    ),
    max_size=24,
).map("".join)


@given(before=CODE, after=CODE, written=CODE, tabs=st.booleans())
def test_any_text_fed_slowly_ends_at_the_same_place(
    before: str, after: str, written: str, tabs: bool
) -> None:
    request = CompletionRequest("file.py", before, after, "\t" if tabs else "    ")
    assert_same_when_fed_slowly(request, written)


def assert_same_when_fed_slowly(request: CompletionRequest, written: str) -> None:
    context = stop_context(request)
    stops = (find_stop(context, written[:length]) for length in range(len(written) + 1))
    first = next((stop for stop in stops if stop is not None), None)
    at_once = find_stop(context, written)
    assert (first and first.keep) == (at_once and at_once.keep)
