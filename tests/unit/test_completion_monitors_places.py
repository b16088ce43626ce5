"""Where a line names an attribute, and where a dot is something else."""

import pytest

from completion.monitors.places import (
    NamePlace,
    attribute_at_end,
    attributes_inside,
    import_at_end,
    imports_inside,
    is_read,
    may_be_made,
)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("self.", ""),
        ("    x = self.wid", "wid"),
        ("rows[0].", ""),
        ("open(path).re", "re"),
        ('"a, b".sp', "sp"),
        ("a.b.c", "c"),
        ("        .group", "group"),  # goes on with the line above
        ("x1.", ""),
        ("größe.", ""),
        ("None.", ""),
        ("print('# no comment') or self.", ""),
    ],
)
def test_an_attribute_is_named(text: str, written: str) -> None:
    place = attribute_at_end(text.encode(), "")
    assert place == NamePlace(len(text.encode()) - len(written), written.encode())


@pytest.mark.parametrize(
    "text",
    [
        "self",
        "x = 1.",
        "x = 1_0.",
        "x = ...",
        "def f(): ...",
        "from .",
        "from . import x",
        "# as in self.",
        "s = 'self.",
        's = f"{self.',
        "return .",
        "self.name(",
        "self.1",
    ],
)
def test_a_dot_that_takes_no_attribute(text: str) -> None:
    assert attribute_at_end(text.encode(), "") is None


def test_a_line_may_begin_inside_a_string() -> None:
    assert attribute_at_end(b"the self.", '"""') is None
    assert attribute_at_end(b'the end.""" + self.', '"""') == NamePlace(19, b"")


def test_attributes_inside_a_piece_of_text() -> None:
    """With a name after the dot; `.real` is one, `.5` is not."""
    text = b"x = self.items[0].name + 2.5 .real"
    _, *places = attributes_inside(text, "")
    assert [text[place.start :] for place in places] == [b"name + 2.5 .real", b"real"]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("import ", ""),
        ("import os, sy", "sy"),
        ("x = 1; import ", ""),
        ("    from json import lo", "lo"),
        ("from json import (", ""),
        ("from json import (\n    dump as write,\n    lo", "lo"),
        ("from . import a", "a"),
        ("from ", ""),
        ("from js", "js"),
    ],
)
def test_a_module_or_a_name_is_imported(text: str, written: str) -> None:
    place = import_at_end(text.encode(), "")
    assert place == NamePlace(len(text) - len(written), written.encode())


@pytest.mark.parametrize("text", ["import", "from json import", "import os,", "from"])
def test_a_blank_is_still_to_come_before_what_is_imported(text: str) -> None:
    assert import_at_end(text.encode(), "") == NamePlace(len(text), b"", blank=True)


@pytest.mark.parametrize(
    "text",
    [
        "importer",
        "fromage",
        "from json ",
        "import json as j",
        "from json import load ",
        "# import ",
        "x = 'import ",
        "raise Failed from ",
        "yield from ",
    ],
)
def test_nothing_is_imported(text: str) -> None:
    assert import_at_end(text.encode(), "") is None


@pytest.mark.parametrize(
    "text",
    ["    self.", "x = 1; self.", "if x: self.", "self.a, self.", "x, (self.", "[x, *self."],
)
def test_a_statement_may_make_an_attribute(text: str) -> None:
    assert may_be_made(text.encode())


@pytest.mark.parametrize(
    "text", ["x = self.", "f(self.", "    other.", "    self.a.", "print(x, self."]
)
def test_an_attribute_is_only_read(text: str) -> None:
    assert not may_be_made(text.encode())


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("self.a(1)", True),
        ("self.a.b = 1", True),
        ("self.a[0] = 1", True),
        ("self.a == 1", True),
        ("self.a\n", False),  # who knows
        ("self.a", False),
        ("self.a = 1", False),
        ("self.a: int = 1", False),
        ("self.a += 1", True),
        ("self.a, b = 1, 2", False),
        ("self.a) = 1", False),
        ("self.a \\\n = 1", False),
    ],
)
def test_a_name_is_read_or_made(text: str, read: bool) -> None:
    assert is_read(text.encode(), len("self.a")) == read


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("import os", ["os"]),
        ("import os as system, sys", ["os", "sys"]),
        ("from os import path, sep\nx = path", ["os", "path", "sep"]),
        ("from a import (b,\n    c", ["a", "b", "c"]),
        ("important = fromage", []),
        ("'import os'", []),
    ],
)
def test_all_that_is_imported(text: str, named: list[str]) -> None:
    assert [place.written.decode() for place in imports_inside(text.encode(), "")] == named
