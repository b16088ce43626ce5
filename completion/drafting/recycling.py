"""Drafts from the model's own earlier answers (Token Recycling, Luo et al. 2024).

Each step of decoding scores the whole vocabulary and uses one token. The runners-up are kept by
the tokens they would have followed, and guessed when those come again. The paper keeps them by
the last token; the last two tell more where they were met, and go first here.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from completion.drafting.guesses import Guess

CANDIDATES = 4  # kept for each token and each pair of tokens
MOST_KEPT = 100_000


class Recycling:
    """What the model found likely after a token, or after two, when it was last asked."""

    def __init__(self) -> None:
        self._candidates: dict[tuple[int, ...], tuple[tuple[int, float], ...]] = {}

    def observe(self, before: Sequence[int], logits: Tensor) -> None:
        """The model gave `logits` [vocabulary] after the tokens `before`."""
        likely = likely_tokens(logits)
        for length in (1, 2):
            run = tuple(before[-length:])
            self._candidates.pop(run, None)
            self._candidates[run] = likely
        while len(self._candidates) > MOST_KEPT:
            del self._candidates[next(iter(self._candidates))]

    def guesses(self, before: Sequence[int]) -> list[Guess]:
        for length in (2, 1):
            known = self._candidates.get(tuple(before[-length:]))
            if known is not None:
                trust = 0.8 if length == 2 else 0.5
                return [
                    Guess(token, f"recycled {length}, {int(10 * p)}", trust * p)
                    for token, p in known
                ]
        return []


def likely_tokens(logits: Tensor) -> tuple[tuple[int, float], ...]:
    """The likeliest tokens and their probabilities, the likeliest first."""
    top = torch.topk(logits, CANDIDATES)
    probabilities = (top.values - logits.logsumexp(-1)).exp()
    return tuple(zip(top.indices.tolist(), probabilities.tolist(), strict=True))
