"""What a source of drafts says may come next, and how often such guesses turned out right."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

PRIOR_WEIGHT = 8.0  # what a source says of itself counts as much as so many observations


@dataclass(frozen=True, slots=True)
class Guess:
    """`token` may come next. `kind` names the guesses that are as good as this one.

    `prior` is the share of that kind that is right, before anything was observed.
    """

    token: int
    kind: str
    prior: float


class Source(Protocol):
    """Where guesses come from."""

    def guesses(self, before: Sequence[int]) -> list[Guess]:
        """What may follow the tokens `before`, the likeliest first, each token once."""
        ...


class HitRates:
    """The share of right guesses of each kind, as observed so far."""

    def __init__(self) -> None:
        self._right: dict[str, float] = {}
        self._made: dict[str, float] = {}

    def probability(self, guess: Guess) -> float:
        """Of a guess being right where all that leads to it is."""
        right = self._right.get(guess.kind, 0.0) + PRIOR_WEIGHT * guess.prior
        return right / (self._made.get(guess.kind, 0.0) + PRIOR_WEIGHT)

    def observe(self, guess: Guess, right: bool) -> None:
        self._made[guess.kind] = self._made.get(guess.kind, 0.0) + 1
        self._right[guess.kind] = self._right.get(guess.kind, 0.0) + right
