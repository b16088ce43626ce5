"""How likely a suggestion is to be accepted as it is, told from how it was written.

The model's own probabilities of the first line's tokens, which decoding has at hand, are joined to
one figure between 0 and 1. It knows numbers and bytes only.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LineFeatures:
    """How the first line with content was written.

    `total` is the natural log-probability of its `tokens`, the one that ended it included; `typed`
    counts the characters that stood on the cursor's line already, its indentation left out.
    """

    total: float
    tokens: int
    typed: int

    @property
    def mean(self) -> float:
        return self.total / self.tokens

    def columns(self) -> dict[str, float]:
        """The features by name, as numbers."""
        return {
            "mean": self.mean,
            "total": self.total,
            "tokens": float(self.tokens),
            "typed": float(self.typed),
        }


@dataclass(frozen=True, slots=True)
class Weight:
    """What a feature counts for, less its mean and divided by its scale."""

    weight: float
    mean: float
    scale: float


@dataclass(frozen=True, slots=True)
class Rule:
    """A logistic rule: the log-odds are a bias and the weighted features."""

    bias: float
    weights: Mapping[str, Weight]

    def probability(self, features: LineFeatures) -> float:
        columns = features.columns()
        score = self.bias + sum(
            part.weight * (columns[name] - part.mean) / part.scale
            for name, part in self.weights.items()
        )
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


# Fitted on 360 suggestions of the default model in six repositories, with the source printed by
# `python -m evaluation.fit_confidence --collect 360 --samples PATH --plot PICTURE` (see
# docs/confidence.md, also for what was tried and left out).
ACCEPTED = Rule(
    bias=-0.8446,
    weights={
        "mean": Weight(2.2004, mean=-0.2006, scale=0.2464),
        "total": Weight(1.9835, mean=-2.3026, scale=4.2233),
        "tokens": Weight(-0.6723, mean=9.7861, scale=5.2516),
        "typed": Weight(0.0393, mean=2.6194, scale=3.5989),
    },
)


def line_features(
    spellings: Sequence[bytes],
    log_probabilities: Sequence[float],
    *,
    rewritten: int,
    line_before: str,
) -> LineFeatures | None:
    """The features of tokens spelled so, of which the first `rewritten` bytes are no suggestion.

    One more log-probability than there are spellings is that of the model's own end. None where
    nothing was chosen.
    """
    if not log_probabilities:
        return None
    count = len(log_probabilities)
    written = b""
    for number, spelling in enumerate(spellings, 1):
        written += spelling
        if b"\n" in written[rewritten:].lstrip():
            count = number
            break
    return LineFeatures(
        total=sum(log_probabilities[:count]), tokens=count, typed=len(line_before.lstrip())
    )


def geometric_mean(features: LineFeatures) -> float:
    """Of the probabilities of the first line's tokens: what a rule must be better than."""
    return math.exp(features.mean)


def confidence_in(features: LineFeatures) -> float:
    """The probability that the first line is what was wanted."""
    return ACCEPTED.probability(features)


def after_typing(confidence: float, text: str, typed: int) -> float:
    """The confidence in what is left of a suggestion once `typed` characters proved right.

    If each character of the first line is as likely to be the first wrong one, the line is right up
    to a share s of it with a probability of confidence^s, and so the rest with confidence^(1 - s).
    """
    start = len(text) - len(text.lstrip())
    end = text.find("\n", start)
    length = len(text) if end < 0 else end
    return confidence ** (max(0, length - typed) / length) if length else confidence
