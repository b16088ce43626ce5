"""Brackets, strings and comments, told apart in text that need not parse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completion.brackets import MASK, balance, closers_wanted, mask, quotes_at
from tests.unit.completion_helpers import CURSOR


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("f(')', \")\")", "f(___, ___)"),
        (r"f('\')')", "f(_____)"),
        ("x = 1  # (", "x = 1  ___"),
        ("#!/bin/sh (\nx(", "___________\nx("),
        ("a // b)", "a // b)"),
        ("  // (\nx", "  ____\nx"),
        ("don't f(x)", "don't f(x)"),
        ('f("(\nx)', "f(__\nx)"),
        ('f("""a\n(b""")', "f(____\n_____)"),
        ("`(`", "___"),
        ("x = '''(\n", "x = ____\n"),
        ("this.#x(", "this.#x("),
    ],
)
def test_strings_and_comments_are_blotted_out(text: str, code: str) -> None:
    assert mask(text).text.replace(MASK, "_") == code


def test_lines_that_begin_in_a_string_are_known() -> None:
    masked = mask('x\ny = """\na\n"""\nz = """b\n')
    assert masked.inside == {2, 3, 5}
    assert masked.open_quotes == '"""'


def test_text_may_begin_inside_a_string() -> None:
    masked = mask('(a\n""")', '"""')
    assert masked.text.replace(MASK, "_") == "__\n___)"
    assert masked.open_quotes == ""


@pytest.mark.parametrize(
    ("code", "openers", "closers"),
    [
        ("f(a[1])", "", ""),
        ("f(a[", "([", ""),
        (")]", "", ")]"),
        ("f(a]", "(", "]"),
        ("(a[)", "", ""),
    ],
)
def test_brackets_without_partner_are_found(code: str, openers: str, closers: str) -> None:
    found = balance(code)
    assert "".join(b.character for b in found.openers) == openers
    assert "".join(b.character for b in found.closers) == closers


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("foo(▮", 1),
        ("foo(▮)", 0),
        ("foo(bar(▮)", 1),
        ("foo(\n    ▮\n)", 0),
        ("foo(bar(▮\n)", 1),
        ("class A {\n  f() {▮\n}\n", 1),
        ("class A {\n  f() {▮\n  }\n}\n", 0),
        ("foo(a,\n    ▮\n    b)", 0),
        ("x = [foo(▮]", 1),
        ("print('▮')", 0),
        ('print("(▮', 1),
        ('"""(▮"""\n)', 0),
        ('foo("""▮\n)\n', 0),
        ("▮)", 0),
    ],
)
def test_brackets_that_the_file_does_not_close_are_counted(text: str, wanted: int) -> None:
    before, after = text.split(CURSOR)
    assert closers_wanted(before, after) == wanted


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ('"""a▮b"""', '"""'),
        ("'''a▮\n'''", "'''"),
        ('"""a▮\n', ""),
        ('"a▮b"', ""),
        ('"""a"""▮\n"""b"""', ""),
    ],
)
def test_a_string_counts_if_the_file_closes_it(text: str, quotes: str) -> None:
    before, after = text.split(CURSOR)
    assert quotes_at(before, after) == quotes


@given(st.text("()[]{}'\"`#/\\ \n\tx", max_size=60), st.sampled_from(["", '"""', "'''"]))
def test_masking_keeps_every_line_in_its_place(text: str, open_quotes: str) -> None:
    masked = mask(text, open_quotes).text
    assert [len(line) for line in masked.split("\n")] == [len(line) for line in text.split("\n")]
