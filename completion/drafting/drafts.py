"""Drafts: a token that is certain, and what may follow it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from completion.drafting.guesses import Guess
from models.token_tree import TokenTree, chain


@dataclass(frozen=True, slots=True)
class Draft:
    """A tree whose first token is certain; `guesses[i]` is what led to token `i + 1`."""

    tree: TokenTree
    guesses: tuple[Guess, ...] = ()


class Drafter(Protocol):
    """Proposes drafts, and hears what became of them."""

    def draft(self, before: Sequence[int], token: int, most: int) -> Draft:
        """What may come after `before` and then `token`, of no more than `most` tokens in all."""
        ...

    def learn(
        self,
        before: Sequence[int],
        draft: Draft,
        nodes: Sequence[int],
        logits: Tensor,
        seconds: float,
    ) -> None:
        """After `before` the model went through `nodes` of the tree, which took it so long.

        `logits` are [tree, vocabulary].
        """
        ...


class NoDrafts:
    """One token at a time."""

    def draft(self, before: Sequence[int], token: int, most: int) -> Draft:
        del before, most
        return Draft(chain([token]))

    def learn(
        self,
        before: Sequence[int],
        draft: Draft,
        nodes: Sequence[int],
        logits: Tensor,
        seconds: float,
    ) -> None:
        pass


class ExpectedText(NoDrafts):
    """Text that is likely to come word for word after `start` tokens, as when asked again."""

    def __init__(self, start: int, tokens: Sequence[int]) -> None:
        self._start = start
        self._tokens = tokens

    def draft(self, before: Sequence[int], token: int, most: int) -> Draft:
        written = [*before[self._start :], token]
        agrees = written == list(self._tokens[: len(written)])
        return Draft(chain([token, *self._tokens[len(written) :]][:most] if agrees else [token]))
