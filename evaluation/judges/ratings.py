"""What a rating is in the text of an answer, and which is expected under a model's probabilities.

Pure functions; they must not know who answered.
"""

import math
import re
from collections.abc import Iterable

from evaluation.judges.values import Answer, RatingToken

RATINGS = range(5)
LEAST = -1_000.0  # of log-probabilities: the number nearest to it is 0
EMPHASIS = str.maketrans("", "", "*_`")  # that Markdown puts around words
RATING_LINE = re.compile(r"(?:[A-Za-z][A-Za-z ]*:)? *([0-4])\.?")


def rating_of(text: str) -> int | None:
    """The rating that ends an answer, or None.

    The rule: the last line that is not blank is one of the numbers 0 to 4 alone, or some words, a
    colon and that number. Emphasis and a full stop after the number do not count.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    found = RATING_LINE.fullmatch(lines[-1].translate(EMPHASIS).strip()) if lines else None
    return int(found[1]) if found else None


def rating_token(text: str, alternatives: Iterable[tuple[str, float]]) -> RatingToken | None:
    """A token as a rating, or None where it is none alone; blanks around it do not count.

    `alternatives` are what could have stood there, itself among them, with their natural
    log-probabilities. One that is no log-probability counts as impossible.
    """
    rating = rating_alone(text)
    if rating is None:
        return None
    odds = [0.0] * len(RATINGS)
    for other, log_probability in alternatives:
        of = rating_alone(other)
        if of is not None and log_probability <= 0:  # false for what is no number as well
            odds[of] += math.exp(max(log_probability, LEAST))
    return RatingToken(rating, tuple(odds))


def rating_alone(text: str) -> int | None:
    bare = text.strip()
    return int(bare) if bare in {str(rating) for rating in RATINGS} else None


def expected_rating(answer: Answer, rating: int) -> float:
    """The mean of the ratings in place of the one that ends an answer, `rating`.

    Their probabilities are made to add up to one. Where the model told none it is the rating.
    """
    tokens = reversed(answer.rating_tokens)
    odds = next((one.odds for one in tokens if one.rating == rating and sum(one.odds) > 0), None)
    if odds is None:
        return float(rating)
    return sum(one * share for one, share in zip(RATINGS, odds, strict=True)) / sum(odds)
