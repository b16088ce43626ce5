"""How what navigation finds is written for an editor."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.navigation.answers import plain, units


@pytest.mark.parametrize(
    ("doc", "fence"),
    [("Adds.", "```"), ("Of `a`.", "```"), ("As ``a``.", "```"), ("```a```", "````")],
)
def test_a_docstring_is_fenced_by_more_backticks_than_it_has(doc: str, fence: str) -> None:
    assert plain(doc) == f"{fence}text\n{doc}\n{fence}"


@given(st.text("`a\n", max_size=20))
def test_no_docstring_ends_its_own_fence(doc: str) -> None:
    fence = re.match("`+", plain(doc))
    assert fence is not None
    assert len(fence[0]) >= 3
    assert fence[0] not in doc


def test_labels_are_counted_in_utf_16() -> None:
    assert [units(text) for text in ("", "ab", "é", "🙂")] == [0, 2, 1, 2]
