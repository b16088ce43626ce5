"""What a suggestion may add to a file: nothing that breaks it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tree_sitter import Node

from completion.monitors.syntax import Syntax, beginnings, shared
from tests.unit.completion_helpers import at

PIECES = ["def f(a):\n", "    return a\n", "x = (1,\n", "2)\n", "é = '''\n", "'''\n", " ", ""]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)


@pytest.mark.parametrize(
    ("place", "text", "kept"),
    [
        ("x = ▮\ny = 2\n", "f(1)", "f(1)"),
        ("x = ▮\ny = 2\n", "f(1", "f"),  # so that the call can be written
        ("x = self.▮\ny = 2\n", "call(\n    a,\n    b,\n", "call"),
        ("x = f(▮)\n", "a, b", "a, b"),
        ("x = f(▮)\n", "a b", ""),
        ("x = f(▮\n", "a b)", "a b)"),  # broken before
        ("def f():\n    ▮\n", "x = 1\n    return x +", "x = 1"),
        ("def f():\n    ▮\n", "if x:", "if x:"),  # the block is to come
        ("if a:\n    b\n▮", "else:\n    c", "else:\n    c"),
        ("▮\n", "else:\n    c", ""),
        ("s = '''▮'''\n", "not ( code", "not ( code"),
    ],
)
def test_lines_that_break_the_file_are_cut_off(place: str, text: str, kept: str) -> None:
    assert Syntax().keep(at(place), text) == kept


@given(texts=st.lists(TEXTS, min_size=1, max_size=6))
def test_a_tree_that_follows_a_text_is_that_of_a_fresh_parse(texts: list[str]) -> None:
    following = Syntax()
    for text in texts:
        followed = following.follow("a.py", text.encode()).tree.root_node
        fresh = Syntax().follow("a.py", text.encode()).tree.root_node
        assert shape(followed) == shape(fresh)


def shape(node: Node) -> Any:
    return node.type, node.byte_range, node.is_missing, [shape(child) for child in node.children]


@given(one=st.binary(max_size=6), other=st.binary(max_size=6))
def test_what_two_texts_begin_with(one: bytes, other: bytes) -> None:
    same = shared(one, other)
    assert one[:same] == other[:same]
    assert one[same : same + 1] != other[same : same + 1] or one[same:] == other[same:] == b""


def test_a_text_loses_its_last_lines() -> None:
    assert beginnings("a\nb\nc") == ["a\nb\nc", "a\nb", "a"]
    assert beginnings("a\n\n") == ["a\n\n", "a"]
    assert beginnings("x = f(a)\ny = g(b, [c\n") == [
        "x = f(a)\ny = g(b, [c\n",
        "x = f(a)\ny = g(b, [c",
        "x = f(a)\ny = g(b,",
        "x = f(a)\ny = g",
        "x = f(a)",
    ]
    assert beginnings("") == []
