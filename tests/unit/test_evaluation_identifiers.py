"""Metrics of identifiers and tokens, on whole code and on broken code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.metrics.identifiers import (
    code_tokens,
    identifier_sequence_match,
    identifiers,
    next_identifier_match,
    prefix_match,
)

PIECES = st.lists(
    st.sampled_from(["a", "b_1", "if", ".", "(", ")", "'s'", '"', "#", "\n", "2.5", "é", "**="])
).map(" ".join)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("get(key)\n  .strip()", ["get", "(", "key", ")", ".", "strip", "(", ")"]),
        ("x **= 2.5e3 // y", ["x", "**=", "2.5e3", "//", "y"]),
        ("a = rb'x y' + f\"{b}\"  # c d", ["a", "=", "rb'x y'", "+", 'f"{b}"']),
        ('"""one\ntwo""" + \'it\\\'s\'', ['"""one\ntwo"""', "+", "'it\\'s'"]),
        ("name('never ended", ["name", "(", "'", "never", "ended"]),
        ("'# no comment'", ["'# no comment'"]),
        ("bar'x'", ["bar", "'x'"]),
        ("größe := 1", ["größe", ":=", "1"]),
        ("", []),
    ],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    assert code_tokens(text) == tokens


def test_identifiers_are_names_outside_of_strings_and_comments() -> None:
    text = "get('name', other) if x is not None else self.y  # and z\n"
    assert identifiers(text) == ["get", "other", "x", "self", "y"]


@pytest.mark.parametrize(
    ("completion", "truth", "same"),
    [
        ("name.other", "name(1)", True),
        ("names", "name", False),
        ("", "name", False),
        ("(1).name", "name", True),
        ("anything", "'no name'", False),
    ],
)
def test_the_next_identifier(completion: str, truth: str, same: bool) -> None:
    assert next_identifier_match(completion, truth) is same


def test_the_share_of_the_truth_that_a_completion_begins_with() -> None:
    truth = "get(key).strip(chars)"
    assert identifier_sequence_match("get(key, default)", truth) == pytest.approx(2 / 4)
    assert identifier_sequence_match("pop(key).strip(chars)", truth) == 0
    assert prefix_match("get(key, default)", truth) == pytest.approx(3 / 9)
    assert identifier_sequence_match("get( key ).strip(chars); more(x)", truth) == 1
    assert prefix_match("get( key ).strip(chars); more(x)", truth) == 1
    assert prefix_match("", truth) == 0


@given(PIECES, PIECES)
def test_metrics_are_shares_and_grow_with_what_agrees(text: str, more: str) -> None:
    for match in (identifier_sequence_match, prefix_match):
        assert 0 <= match(more, text) <= 1
        assert match(text, text) == 1
    if names := identifiers(text):
        assert identifier_sequence_match(" ".join(names[:1]), text) >= 1 / len(names)


@given(st.text())
def test_any_text_has_tokens(text: str) -> None:
    assert all(token.strip() and token in text for token in code_tokens(text))
