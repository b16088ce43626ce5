"""Suggestions that still hold."""

from dataclasses import replace

import pytest

from completion.suggestion_reuse import REMEMBERED, SuggestionReuse
from completion.values import Suggestion, TokenCounts
from tests.unit.completion_helpers import at

ASKED = at("total = ▮\nprint(total)\n")
MADE = Suggestion("sum(values)\n", "tiny", "line", TokenCounts(prompt=9, encoded=9))


def reuse_of_one() -> SuggestionReuse:
    reuse = SuggestionReuse()
    reuse.remember(ASKED, MADE)
    return reuse


@pytest.mark.parametrize("typed", ["", "s", "sum(", "sum(values)"])
def test_typing_through_leaves_the_rest(typed: str) -> None:
    found = reuse_of_one().find(replace(ASKED, before=ASKED.before + typed))
    assert found is not None
    assert typed + found.text == MADE.text
    assert found.tokens == TokenCounts()


def test_what_was_typed_rightly_raises_confidence() -> None:
    reuse = SuggestionReuse()
    reuse.remember(ASKED, replace(MADE, confidence=0.25))
    found = [reuse.find(replace(ASKED, before=ASKED.before + typed)) for typed in ("", "sum(v", "")]
    confidences = [suggestion.confidence for suggestion in found if suggestion]
    assert confidences[0] == confidences[2] == 0.25 < confidences[1] < 1


def test_deleting_back_returns_to_it() -> None:
    reuse = reuse_of_one()
    typed_on = replace(ASKED, before=ASKED.before + "sum(x")
    assert reuse.find(typed_on) is None
    reuse.remember(typed_on, Suggestion(")", "tiny", "line"))
    assert reuse.find(ASKED) is not None
    assert reuse.find(replace(ASKED, before=ASKED.before + "su")) is not None


@pytest.mark.parametrize(
    "request_",
    [
        replace(ASKED, before=ASKED.before + "x"),
        replace(ASKED, before=ASKED.before + MADE.text),
        replace(ASKED, before=ASKED.before[:-1]),
        replace(ASKED, before="# changed\n" + ASKED.before),
        replace(ASKED, after=""),
        replace(ASKED, document="other.py"),
        replace(ASKED, single_line=True),
    ],
)
def test_it_does_not_hold_elsewhere(request_: object) -> None:
    assert reuse_of_one().find(request_) is None  # type: ignore[arg-type]


def test_that_nothing_was_worth_showing_is_remembered() -> None:
    reuse = SuggestionReuse()
    reuse.remember(ASKED, Suggestion("", "tiny", "end"))
    assert reuse.find(ASKED) is not None
    assert reuse.find(replace(ASKED, before=ASKED.before + "s")) is None


def test_the_newest_goes_before_and_the_oldest_is_forgotten() -> None:
    reuse = reuse_of_one()
    reuse.remember(ASKED, replace(MADE, text="0\n"))
    found = reuse.find(ASKED)
    assert found is not None
    assert found.text == "0\n"
    for number in range(REMEMBERED):
        reuse.remember(at(f"x = {number}▮"), MADE)
    assert reuse.find(ASKED) is None
