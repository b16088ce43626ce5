"""Drafts: a token that is certain, and what may follow it."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from completion.drafting.guesses import Guess
from models.token_tree import TokenTree, chain


@dataclass(frozen=True, slots=True)
class Draft:
    """A tree whose first token is certain; `guesses[i]` is what led to token `i + 1`."""

    tree: TokenTree
    guesses: tuple[Guess, ...] = ()


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of a draft after the tokens `before`: the `nodes` that were gone through.

    `logits` are [tree, vocabulary]; the pass took `seconds`.
    """

    before: Sequence[int]
    draft: Draft
    nodes: Sequence[int]
    logits: Tensor
    seconds: float


class Drafter:
    """Proposes drafts, and hears what became of them. This one proposes none."""

    def draft(self, before: Sequence[int], token: int, most: int) -> Draft:
        """What may come after `before` and then `token`, of no more than `most` tokens in all."""
        del before, most
        return Draft(chain([token]))

    def learn(self, verified: Verified) -> None:
        """Learn from a draft that the model has read."""


class ExpectedText(Drafter):
    """Text that is likely to come word for word after `start` tokens, as when asked again."""

    def __init__(self, start: int, tokens: Sequence[int]) -> None:
        self._start = start
        self._tokens = tokens

    def draft(self, before: Sequence[int], token: int, most: int) -> Draft:
        written = [*before[self._start :], token]
        agrees = written == list(self._tokens[: len(written)])
        return Draft(chain([token, *self._tokens[len(written) :]][:most] if agrees else [token]))
