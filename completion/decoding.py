"""Greedy decoding: the most likely token, again and again, until a rule says stop."""

import codecs
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from math import inf
from time import perf_counter

import torch
from torch import Tensor

from completion.covers import NOTHING_OPEN, Cover, OpenEnd, Stem, best
from completion.decoded import LENGTH, TRUNK, WRONG, Branch, Decoded
from completion.drafting.drafts import Drafter, Verified
from completion.drafting.pass_cost import LARGEST
from completion.monitors.watch import NO_WATCH, Watch
from completion.stop_rules import Stop
from completion.values import CancelCheck
from models.errors import Cancelled
from models.kv_cache import KeyValueCache
from models.language_model import LanguageModel
from models.token_choice import likeliest
from models.token_tree import NOTHING_READ, ReadTree, TokenTree, merged

# Gives the logits [vocabulary] of what follows some tokens that were written another weight.
Weigh = Callable[[Sequence[int], Tensor], Tensor]


def as_they_are(_: Sequence[int], logits: Tensor) -> Tensor:
    """Weighs nothing."""
    return logits


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
    branch: Branch = TRUNK,
    runners_up: int = 0,
    ahead: ReadTree = NOTHING_READ,
    watch: Watch = NO_WATCH,
    weigh: Weigh = as_they_are,
    clock: Callable[[], float] = perf_counter,
) -> Decoded:
    """Write on after what `cache` holds, whose last token gave `logits` [vocabulary].

    Asks `cancelled` before every token and layer and raises `Cancelled`. `find_stop` sees the text
    so far, without a character that is not complete yet. Bytes that can never become text end it.
    What is written begins with the text that is open at the prompt's `end`; it is no part of the
    answer, and as many tokens as it has are none of `max_tokens`. What `drafter` guesses saves
    passes and leaves the answer as it is; the cache may then hold more of it than was written. A
    `branch` that the cache holds already begins what is written. So many `runners_up` of each token
    that is chosen are kept as branches. What was read `ahead` in the pass that gave `logits` is not
    read again; the cache is as that pass left it. What `watch` forbids is not chosen; a name that
    it finds wrong is the last that is written. Logits are weighed by `weigh` before a token is
    chosen.
    By the `clock`, in seconds, the drafter learns what a pass takes.
    """
    text = ""
    pending = model.tokenizer.spelled(end.rewritten)
    to_text = codecs.getincrementaldecoder("utf-8")()
    tokens: list[int] = []
    most = max_tokens + len(end.rewritten)
    writer = Writer(
        model,
        cache,
        end,
        drafter or Drafter(),
        branch,
        runners_up,
        ahead,
        watch,
        weigh,
        clock,
        cancelled,
    )
    chosen = chain(branch.tokens, writer.write(logits, most - len(branch.tokens)))

    def decoded(text: str, stop: str) -> Decoded:
        counts = (writer.drafted, writer.accepted, writer.passes)
        chosen = len(tokens) + (stop == "end")
        log_probabilities = tuple(writer.log_probabilities[:chosen])
        branches = tuple(b for b in writer.branches if len(b.tokens) <= chosen)
        return Decoded(text, tuple(tokens), stop, *counts, log_probabilities, branches)

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
        if watch.is_wrong(tokens):
            return decoded(text, WRONG)
    return decoded(text, LENGTH)


class Writer:
    """Writes the most likely tokens after what `cache` holds, with drafts to save passes.

    First comes the likeliest cover of the text that is open at the `end` (`completion.covers`): of
    all that write this text and one token's worth more, the one with the highest joint probability.
    Where a `branch` was begun, it is one of these already. `log_probabilities` and `branches` grow
    with what is chosen, which may be more than was asked for yet.
    """

    def __init__(
        self,
        model: LanguageModel,
        cache: KeyValueCache,
        end: OpenEnd,
        drafter: Drafter,
        branch: Branch,
        runners_up: int,
        ahead: ReadTree,
        watch: Watch,
        weigh: Weigh,
        clock: Callable[[], float],
        cancelled: CancelCheck,
    ) -> None:
        self.drafted = len(ahead.tree.tokens)
        self.accepted = 0
        self.passes = 0
        self.log_probabilities = list(branch.log_probabilities)
        self.branches: list[Branch] = []
        self._chosen = list(branch.tokens)
        self._decoder = model.decoder
        self._tokenizer = model.tokenizer
        self._cache = cache
        self._end = NOTHING_OPEN if branch.tokens else end
        self._drafter = drafter
        self._runners_up = runners_up
        self._ahead = ahead
        self._watch = watch
        self._weigh = weigh
        self._clock = clock
        self._cancelled = cancelled

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
            started = self._clock()
            read = self._read(draft.tree)
            seconds = self._clock() - started
            way, token = self._follow(read, [0], self._best(read.logits[0]))
            self._drafter.learn(Verified(before, draft, way, read.logits, seconds))
            agreed = self._take(read, way)
            self.drafted += len(draft.tree.tokens) - 1
            self.accepted += len(agreed) - 1
            left -= len(agreed) - 1
            yield from agreed[1:]

    def _begin(self, logits: Tensor, most: int) -> tuple[list[int], int]:
        """Tokens that are written first, read already, and the one after them."""
        if len(self._end.stems) == 1:
            read = self._ahead
            way, token = self._follow(read, [], self._best(logits))
        else:
            read, covers = self._read_stems(logits.log_softmax(-1), most)
            chosen = self._best_cover(list(covers.values()))
            stem = read.tree.way_of(chosen.stem.tokens)
            assert stem is not None
            way, token = self._follow(read, stem, chosen.token)
        self.accepted += len(way)
        return self._take(read, way), token

    def _read_stems(self, first: Tensor, most: int) -> tuple[ReadTree, dict[Stem, list[Cover]]]:
        """The tree that the stem of the best cover is found in, and the covers of all stems read.

        Stems that were not read ahead and may lead to a better cover than those that were are read
        in one pass, with drafts after the likeliest of them. Mostly they are few; where there are
        none, there is no such pass. It reads the best of the others again, since nothing of an
        earlier pass can be taken after it.
        """
        read, cache = self._ahead, self._cache
        covers = self._covers(first, read)
        stems = self._end.promising(first, covers)
        if not stems:
            return read, covers
        room = min(LARGEST, cache.capacity - cache.length)
        known = [likeliest for likeliest, *_ in covers.values()]
        before = [best(known).stem] if known else []
        draft = self._drafter.draft(cache.tokens, stems[0].tokens[0], min(most, room))
        likely = [stem.tokens for stem in (*before, *stems) if stem.tokens]
        read = self._read(merged([*likely, *draft.tree.continuations], room)[0])
        self.drafted += len(read.tree.tokens)
        return read, self._covers(first, read) | covers

    def _covers(self, first: Tensor, read: ReadTree) -> dict[Stem, list[Cover]]:
        """Those of each stem that was read or has no tokens, the likeliest first.

        `first` [vocabulary] are the log-probabilities of what follows the prompt.
        """
        found: dict[Stem, list[Cover]] = {}
        for stem in self._end.stems:
            if (way := read.tree.way_of(stem.tokens)) is not None:
                known, after = 0.0, first
                for node in way:
                    known += float(after[read.tree.tokens[node]])
                    after = read.logits[node].log_softmax(-1)
                most = 1 + self._runners_up
                found[stem] = self._end.covers(self._tokenizer, stem, known, after, most)
        return found

    def _read(self, tree: TokenTree) -> ReadTree:
        """A tree of what may follow the cache. Raises `Cancelled`."""
        self.passes += 1
        hidden = self._decoder.branch(self._cache, tree, self._cancelled)
        return ReadTree(tree, self._decoder.logits(hidden))

    def _take(self, read: ReadTree, way: list[int]) -> list[int]:
        """Keep a way through a tree that was just read; its tokens."""
        tokens = [read.tree.tokens[node] for node in way]
        self._cache.take(tokens, way)
        return tokens

    def _follow(self, read: ReadTree, way: list[int], token: int) -> tuple[list[int], int]:
        """A way through a tree, after which `token` is chosen, as far as the tree says so too.

        Returns the nodes, and the token that is chosen after them.
        """
        while (child := read.tree.child(way[-1] if way else -1, token)) is not None:
            way = [*way, child]
            token = self._best(read.logits[child])
        return way, token

    def _best(self, logits: Tensor) -> int:
        """The place of the largest of `logits`, which is chosen; the next ones are left."""
        logits = self._watch.allowed(self._chosen, logits.float())
        logits = self._weigh(self._chosen, logits)
        chosen = likeliest(logits)
        if self._runners_up:
            likely = logits.topk(1 + self._runners_up)
            known = (likely.values - chosen.total).tolist()
            for other, log_probability in zip(likely.indices.tolist(), known, strict=True):
                if other != chosen.token and log_probability > -inf:
                    self._leave((other,), (log_probability,))
        self._choose((chosen.token,), (chosen.log_probability,))
        return chosen.token

    def _best_cover(self, covers: Sequence[Sequence[Cover]]) -> Cover:
        """The best of `covers`, those of each stem together and the likeliest first.

        Its probability among the likeliest is noted at its last token, those of its stem being
        certain then.
        """
        heads = [likeliest for likeliest, *_ in covers]
        chosen = best(heads)
        total = float(torch.tensor([cover.log_probability for cover in heads]).logsumexp(0))
        for cover in chain.from_iterable(covers if self._runners_up else ()):
            if cover != chosen and cover.canonical:
                self._leave(*noted(cover, total))
        self._choose(*noted(chosen, total))
        return chosen

    def _choose(self, tokens: Iterable[int], log_probabilities: Iterable[float]) -> None:
        self._chosen += tokens
        self.log_probabilities += log_probabilities

    def _leave(self, tokens: Iterable[int], log_probabilities: Iterable[float]) -> None:
        """Note what could have been chosen after all that was."""
        before = (*self._chosen, *tokens), (*self.log_probabilities, *log_probabilities)
        self.branches.append(Branch(*before))


def noted(cover: Cover, total: float) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The tokens of a cover and their log-probabilities, its stem being certain; the others' is
    `total`."""
    stem = cover.stem.tokens
    return (*stem, cover.token), (*(0.0 for _ in stem), cover.log_probability - total)
