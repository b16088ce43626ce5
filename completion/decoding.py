"""Greedy decoding: the most likely token, again and again, until a rule says stop."""

import codecs
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from time import perf_counter

import torch
from torch import Tensor

from completion.covers import NOTHING_OPEN, Cover, OpenEnd, best
from completion.drafting.drafts import Drafter, Verified
from completion.drafting.pass_cost import LARGEST
from completion.stop_rules import Stop
from completion.values import CancelCheck
from models.errors import Cancelled
from models.kv_cache import KeyValueCache
from models.language_model import LanguageModel
from models.token_tree import TokenTree, merged


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text up to where it was stopped, the tokens that were chosen, and why they ended.

    `drafted` tokens were guessed, `accepted` ones of these rightly, in so many `passes`; tokens of
    stems that were read are among them. `log_probabilities` are those of the tokens, and of the
    end where the model chose it, among what was allowed there; with drafts they differ by
    rounding, so that they do not count when two are compared.
    """

    text: str
    tokens: tuple[int, ...]
    stop: str
    drafted: int = 0
    accepted: int = 0
    passes: int = 0
    log_probabilities: tuple[float, ...] = field(default=(), compare=False)


def decode_greedily(
    model: LanguageModel,
    cache: KeyValueCache,
    logits: Tensor,
    *,
    end_tokens: frozenset[int],
    max_tokens: int,
    find_stop: Callable[[str], Stop | None],
    cancelled: CancelCheck,
    end: OpenEnd = NOTHING_OPEN,
    drafter: Drafter | None = None,
) -> Decoded:
    """Write on after what `cache` holds, whose last token gave `logits` [vocabulary].

    Asks `cancelled` before every token and raises `Cancelled`. `find_stop` sees the text so far,
    without a character that is not complete yet. Bytes that can never become text end it. What is
    written begins with the text that is open at the prompt's `end`; it is no part of the answer,
    and as many tokens as it has are none of `max_tokens`. What `drafter` guesses saves passes and
    leaves the answer as it is; the cache may then hold more of it than was written.
    """
    text = ""
    pending = b"".join(map(model.tokenizer.token_bytes, end.rewritten))
    to_text = codecs.getincrementaldecoder("utf-8")()
    tokens: list[int] = []
    most = max_tokens + len(end.rewritten)
    writer = Writer(model, cache, end, drafter or Drafter())
    chosen = writer.write(logits, most)

    def decoded(text: str, stop: str) -> Decoded:
        counts = (writer.drafted, writer.accepted, writer.passes)
        chosen = writer.log_probabilities[: len(tokens) + (stop == "end")]
        return Decoded(text, tuple(tokens), stop, *counts, tuple(chosen))

    while len(tokens) < most:
        if cancelled():
            raise Cancelled
        token = next(chosen)
        if token in end_tokens:
            return decoded(text, "end")
        tokens.append(token)
        written = model.tokenizer.token_bytes(token)
        visible, pending = written[len(pending) :], pending[len(written) :]
        try:
            text += to_text.decode(visible)
        except UnicodeDecodeError:
            return decoded(text, "bytes")
        if (stop := find_stop(text)) is not None:
            return decoded(text[: stop.keep], stop.reason)
    return decoded(text, "length")


class Writer:
    """Writes the most likely tokens after what `cache` holds, with drafts to save passes.

    First comes the likeliest cover of the text that is open at the `end` (`completion.covers`): of
    all that write this text and one token's worth more, the one with the highest joint probability.
    `log_probabilities` grow with what is chosen, which may be more than was asked for yet.
    """

    def __init__(
        self, model: LanguageModel, cache: KeyValueCache, end: OpenEnd, drafter: Drafter
    ) -> None:
        self.drafted = 0
        self.accepted = 0
        self.passes = 0
        self.log_probabilities: list[float] = []
        self._decoder = model.decoder
        self._tokenizer = model.tokenizer
        self._cache = cache
        self._end = end
        self._drafter = drafter

    def write(self, logits: Tensor, most: int) -> Iterator[int]:
        """Up to `most` tokens, the first by `logits`; the model reads as they are asked for.

        Each pass reads the last token and a tree of drafts after it, and goes along the tree for
        as long as it says what the decoder chooses (Leviathan et al. 2023, "Fast inference from
        transformers via speculative decoding", with a greedy target).
        """
        cache = self._cache
        begun, token = self._begin(logits, most)
        yield from begun
        left = most - len(begun)
        while True:
            yield token
            left -= 1
            before = cache.tokens
            draft = self._drafter.draft(before, token, min(left, cache.capacity - cache.length))
            started = perf_counter()
            scores = self._read(draft.tree)
            seconds = perf_counter() - started
            way, token = self._follow(draft.tree, scores, [0], self._best(scores[0]))
            self._drafter.learn(Verified(before, draft, way, scores, seconds))
            agreed = self._take(draft.tree, way)
            self.drafted += len(draft.tree.tokens) - 1
            self.accepted += len(agreed) - 1
            left -= len(agreed) - 1
            yield from agreed[1:]

    def _begin(self, logits: Tensor, most: int) -> tuple[list[int], int]:
        """Tokens that are written first, read already, and the one after them.

        Stems that may lead to a better cover than the best that needs no reading are read in one
        pass, drafts after the likeliest of them too. Mostly they are few; where there are none,
        there is no such pass.
        """
        end, tokenizer, cache = self._end, self._tokenizer, self._cache
        if len(end.stems) == 1:
            return [], self._best(logits)
        first = logits.log_softmax(-1)
        covers = [end.cover(tokenizer, stem, 0.0, first) for stem in end.stems if not stem.tokens]
        stems = end.promising(first, covers)
        if not stems:
            return [], self._best_cover(covers).token
        room = min(LARGEST, cache.capacity - cache.length)
        draft = self._drafter.draft(cache.tokens, stems[0].tokens[0], min(most, room))
        tree, ends = merged([*(stem.tokens for stem in stems), *draft.tree.continuations], room)
        scores = self._read(tree)
        following = scores.log_softmax(-1)
        ways = {stem: tree.way(node) for stem, node in zip(stems, ends, strict=False)}
        for stem, way in ways.items():
            steps = pairwise(way)
            known = first[stem.tokens[0]] + sum(following[a, tree.tokens[b]] for a, b in steps)
            covers.append(end.cover(tokenizer, stem, float(known), following[way[-1]]))
        chosen = self._best_cover(covers)
        way, token = self._follow(tree, scores, ways.get(chosen.stem, []), chosen.token)
        self.drafted += len(tree.tokens)
        self.accepted += len(way)
        return self._take(tree, way), token

    def _read(self, tree: TokenTree) -> Tensor:
        """Logits [nodes, vocabulary] of all that may follow the cache."""
        self.passes += 1
        return self._decoder.logits(self._decoder.branch(self._cache, tree))

    def _take(self, tree: TokenTree, way: list[int]) -> list[int]:
        """Keep a way through a tree that was just read; its tokens."""
        tokens = [tree.tokens[node] for node in way]
        self._cache.take(tokens, way)
        return tokens

    def _follow(
        self, tree: TokenTree, scores: Tensor, way: list[int], token: int
    ) -> tuple[list[int], int]:
        """A way through `tree`, after which `token` is chosen, as far as the tree says so too.

        Returns the nodes, and the token that is chosen after them.
        """
        while way and (child := tree.child(way[-1], token)) is not None:
            way = [*way, child]
            token = self._best(scores[child])
        return way, token

    def _best(self, logits: Tensor) -> int:
        """The place of the largest of `logits`, whose log-probability among them is noted."""
        logits = logits.float()
        largest, place = logits.max(-1)
        self.log_probabilities.append(float(largest - logits.logsumexp(-1)))
        return int(place)

    def _best_cover(self, covers: Sequence[Cover]) -> Cover:
        """The best of `covers`, each the likeliest of its stem.

        Its probability among them is noted at its last token, those of its stem being certain then.
        """
        chosen = best(covers)
        likely = torch.tensor([cover.log_probability for cover in covers])
        among = chosen.log_probability - float(likely.logsumexp(0))
        self.log_probabilities += [0.0] * len(chosen.stem.tokens) + [among]
        return chosen
