"""Superposed decoding: several drafts from one pass a token, to compare with.

The model reads one token a step: the mean of the drafts' last embeddings, weighted by how likely
each draft is. Its one distribution serves all of them; what fits which draft is told by n-grams of
text that was seen.

Source: Shen et al. 2024, "Superposed Decoding: Multiple Generations from a Single Autoregressive
Inference Pass", section 3. The n-grams here are of the prompts and of the repository's other files.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import torch
from torch import Tensor

from models.kv_cache import KeyValueCache
from models.language_model import LanguageModel

ORDERS = range(2, 7)  # lengths of n-grams
NGRAM_WEIGHT = 0.54  # of their log-probabilities against the model's, as in the paper
UNSEEN_PROBABILITY = 1e-5  # of a token that no n-gram knows


class NGrams:
    """How often tokens followed others."""

    def __init__(self) -> None:
        self._followers: defaultdict[tuple[int, ...], Counter[int]] = defaultdict(Counter)

    def add(self, tokens: Sequence[int]) -> None:
        for order in ORDERS:
            for end in range(order, len(tokens) + 1):
                *run, token = tokens[end - order : end]
                self._followers[tuple(run)][token] += 1

    def after(self, run: Sequence[int]) -> Counter[int]:
        """How often each token followed `run`."""
        return self._followers.get(tuple(run), Counter())


def log_probability(seen: Sequence[NGrams], before: Sequence[int], token: int) -> float:
    """Of `token`, its share after the longest run that any of `seen` knows it to follow."""
    for order in reversed(ORDERS):
        known = [ngrams.after(before[-(order - 1) :]) for ngrams in seen]
        if times := sum(counts[token] for counts in known):
            return log(times / sum(counts.total() for counts in known))
    return log(UNSEEN_PROBABILITY)


@dataclass(frozen=True, slots=True)
class Superposition:
    """One draft: its tokens, and the logarithm of its probability, n-grams included."""

    tokens: tuple[int, ...]
    log_probability: float


class SuperposedDecoder:
    """Drafts of lines, with the embedding of the vocabulary's last token, which no text has."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._embedding = model.decoder._embedding
        self._scratch = len(self._embedding) - 1
        self.passes = 0

    @torch.inference_mode()
    def lines(
        self,
        cache: KeyValueCache,
        drafts: Sequence[Superposition],
        seen: Sequence[NGrams],
        end_tokens: frozenset[int],
        most: int,
    ) -> list[Superposition]:
        """`drafts`, each a token long, written on until the line ends, the likeliest first.

        Drafts that have ended keep their place among the best and are no longer read.
        """
        start, before = cache.length, list(cache.tokens)
        width = len(drafts)
        open_drafts, ended = list(drafts), list[Superposition]()
        for _ in range(most - 1):
            open_drafts, now = self._without_ended(open_drafts, end_tokens)
            ended += now
            wanted = width - len(ended)
            if not open_drafts or wanted <= 0:
                break
            likely = self._read(cache, open_drafts).log_softmax(-1).topk(width)
            pairs = list(zip(likely.indices.tolist(), likely.values.tolist(), strict=True))
            longer = [
                longer_by(token, known, draft, seen, before)
                for draft in open_drafts
                for token, known in pairs
            ]
            open_drafts = heapq.nlargest(wanted, longer, key=lambda one: one.log_probability)
        cache.truncate(start)
        return sorted([*ended, *open_drafts], key=lambda one: one.log_probability, reverse=True)

    def _without_ended(
        self, drafts: Sequence[Superposition], end_tokens: frozenset[int]
    ) -> tuple[list[Superposition], list[Superposition]]:
        def has_ended(draft: Superposition) -> bool:
            last = draft.tokens[-1]
            return last in end_tokens or b"\n" in self._model.tokenizer.token_bytes(last)

        return (
            [one for one in drafts if not has_ended(one)],
            [one for one in drafts if has_ended(one)],
        )

    def _read(self, cache: KeyValueCache, drafts: Sequence[Superposition]) -> Tensor:
        """Logits [vocabulary] after the drafts' last tokens, all in one."""
        weights = torch.tensor([one.log_probability for one in drafts]).softmax(0)
        last = self._embedding[[one.tokens[-1] for one in drafts]]
        self._embedding[self._scratch] = weights @ last
        self.passes += 1
        decoder = self._model.decoder
        return decoder.logits(decoder.forward([self._scratch], cache)[-1])


def longer_by(
    token: int, known: float, draft: Superposition, seen: Sequence[NGrams], before: Sequence[int]
) -> Superposition:
    """A draft and one more token, whose log-probability the model and the n-grams weigh out."""
    text = [*before[-ORDERS[-1] :], *draft.tokens]
    more = (1 - NGRAM_WEIGHT) * known + NGRAM_WEIGHT * log_probability(seen, text, token)
    return Superposition((*draft.tokens, token), draft.log_probability + more)
