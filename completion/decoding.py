"""Greedy decoding: the most likely token, again and again, until a rule says stop."""

import codecs
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from torch import Tensor

from completion.drafting.drafts import Drafter, Verified
from completion.stop_rules import Stop
from completion.values import CancelCheck
from models.errors import Cancelled
from models.kv_cache import KeyValueCache
from models.language_model import LanguageModel
from models.token_tree import TokenTree


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text up to where it was stopped, the tokens that were chosen, and why they ended.

    `drafted` tokens were guessed, `accepted` ones of these rightly, in so many `passes`.
    `log_probabilities` are those of the tokens, and of the end where the model chose it, among
    what was allowed there; with drafts they differ by rounding, so that they do not count when
    two are compared.
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
    rewritten: Sequence[int] = (),
    drafter: Drafter | None = None,
) -> Decoded:
    """Write on after what `cache` holds, whose last token gave `logits` [vocabulary].

    Asks `cancelled` before every token and raises `Cancelled`. `find_stop` sees the text so far,
    without a character that is not complete yet. Bytes that can never become text end it. What is
    written begins with the bytes of `rewritten` tokens, which are no part of the text, nor do as
    many tokens count as some of `max_tokens`. What `drafter` guesses saves passes and leaves the
    answer as it is; the cache may then hold more of it than was written.
    """
    text = ""
    pending = b"".join(map(model.tokenizer.token_bytes, rewritten))
    to_text = codecs.getincrementaldecoder("utf-8")()
    tokens: list[int] = []
    most = max_tokens + len(rewritten)
    writer = Writer(model, cache, pending, drafter or Drafter())
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

    They begin with the bytes that are `pending`: of all tokens that agree with these, the most
    likely one (token healing). `log_probabilities` grow with what is chosen, which may be more than
    was asked for yet.
    """

    def __init__(
        self, model: LanguageModel, cache: KeyValueCache, pending: bytes, drafter: Drafter
    ) -> None:
        self.drafted = 0
        self.accepted = 0
        self.passes = 0
        self.log_probabilities: list[float] = []
        self._decoder = model.decoder
        self._tokenizer = model.tokenizer
        self._cache = cache
        self._pending = pending
        self._drafter = drafter

    def write(self, logits: Tensor, most: int) -> Iterator[int]:
        """Up to `most` tokens, the first by `logits`; the model reads as they are asked for.

        Each pass reads the last token and a tree of drafts after it, and goes along the tree for
        as long as it says what the decoder chooses (Leviathan et al. 2023, "Fast inference from
        transformers via speculative decoding", with a greedy target).
        """
        cache, token, left = self._cache, self._choose(logits), most
        prompt = cache.length
        while True:
            yield token
            left -= 1
            before = cache.tokens
            draft = self._drafter.draft(before, token, min(left, cache.capacity - cache.length))
            started = perf_counter()
            scores = self._decoder.logits(self._decoder.branch(cache, draft.tree, prompt))
            seconds = perf_counter() - started
            way, token = self._follow(draft.tree, scores)
            self._drafter.learn(Verified(before, draft, way, scores, seconds))
            agreed = [draft.tree.tokens[node] for node in way]
            cache.take(agreed, way)
            self.passes += 1
            self.drafted += len(draft.tree.tokens) - 1
            self.accepted += len(agreed) - 1
            left -= len(agreed) - 1
            yield from agreed[1:]

    def _follow(self, tree: TokenTree, scores: Tensor) -> tuple[list[int], int]:
        """The nodes of `tree` that say what is chosen, and the token chosen after them."""
        way = [0]
        token = self._choose(scores[0])
        while (child := tree.child(way[-1], token)) is not None:
            way.append(child)
            token = self._choose(scores[child])
        return way, token

    def _choose(self, logits: Tensor) -> int:
        if not self._pending:
            return self._best(logits)
        fitting = self._tokenizer.fitting(self._pending).to(logits.device)
        token = int(fitting[self._best(logits[fitting])])
        self._pending = self._pending[len(self._tokenizer.token_bytes(token)) :]
        return token

    def _best(self, logits: Tensor) -> int:
        """The place of the largest of `logits`, whose log-probability among them is noted."""
        largest, place = logits.float().max(-1)
        self.log_probabilities.append(float(largest - logits.float().logsumexp(-1)))
        return int(place)
