"""The rating that ends an answer, and the one that is expected under a model's odds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.judges.ratings import RATINGS, expected_rating, rating_of, rating_token
from evaluation.judges.values import Answer, RatingToken


@pytest.mark.parametrize(
    ("text", "rating"),
    [
        ("3", 3),
        (" 0\n", 0),
        ("4.", 4),
        ("**2**", 2),
        ("Usefulness: 1", 1),
        ("**Rating:** 3", 3),
        ("Functional correctness: `4`.", 4),
        ("1. It adds.\n2. It should not.\n\nRating: 1\n", 1),
        ("I first said 4.\n0", 0),
        # No rating ends these.
        ("", None),
        ("\n \n", None),
        ("7", None),
        ("10", None),
        ("-1", None),
        ("3.5", None),
        ("3/4", None),
        ("Rating: 3 of 4", None),
        ("Rating (0-4): 3", None),
        ("three", None),
        ("٣", None),
        ("3\nThe code is good.", None),
        ("Between 2 and 3", None),
    ],
)
def test_the_last_line_holds_the_rating_alone(text: str, rating: int | None) -> None:
    assert rating_of(text) == rating


@given(st.text())
def test_whatever_is_written_is_a_rating_or_none(text: str) -> None:
    assert rating_of(text) in {None, *RATINGS}


@given(st.text(), st.sampled_from(RATINGS))
def test_what_comes_before_the_last_line_does_not_count(text: str, rating: int) -> None:
    assert rating_of(f"{text}\n{rating}") == rating


@given(st.text(alphabet="01234567890123456789 .:-/", max_size=6))
def test_other_numbers_are_no_ratings(text: str) -> None:
    rating = rating_of(text)
    assert rating is None or text.strip(" :.") == str(rating)


def test_a_rating_token_adds_up_what_writes_the_same_rating() -> None:
    alternatives = [("3", math.log(0.5)), (" 3", math.log(0.1)), ("4", math.log(0.2)), ("the", -3)]
    found = rating_token("3", alternatives)
    assert found is not None
    assert found.rating == 3
    assert found.odds == pytest.approx((0, 0, 0, 0.6, 0.2))


def test_a_token_that_is_no_rating_alone_is_none() -> None:
    assert rating_token("30", [("3", -1.0)]) is None
    assert rating_token("5", [("3", -1.0)]) is None


@given(st.lists(st.tuples(st.sampled_from("0123456 "), st.floats() | st.integers())))
def test_odds_are_shares_whatever_the_log_probabilities(
    alternatives: list[tuple[str, float]],
) -> None:
    found = rating_token("2", alternatives)
    assert found is not None
    assert all(0 <= share < math.inf for share in found.odds)


def test_the_expected_rating_is_the_mean_under_odds_that_add_up_to_one() -> None:
    answer = Answer("3", (RatingToken(3, (0, 0, 0, 0.6, 0.2)),))
    assert expected_rating(answer, 3) == pytest.approx(3.25)


def test_the_odds_are_those_of_the_last_token_that_is_the_rating() -> None:
    steps = RatingToken(1, (0, 1, 0, 0, 0)), RatingToken(2, (0, 0, 1, 0, 0))
    last = RatingToken(1, (0.5, 0.5, 0, 0, 0))
    assert expected_rating(Answer("1. So\n2. So\nRating: 1", (*steps, last)), 1) == 0.5


@pytest.mark.parametrize("odds", [(), (RatingToken(0, (0.0,) * 5),)], ids=["none", "impossible"])
def test_without_odds_the_rating_is_expected(odds: tuple[RatingToken, ...]) -> None:
    assert expected_rating(Answer("0", odds), 0) == 0.0
