"""Greedy decoding: the most likely token, again and again, until a rule says stop."""

import codecs
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from completion.stop_rules import Stop
from completion.values import CancelCheck
from models.errors import Cancelled
from models.kv_cache import KeyValueCache
from models.language_model import LanguageModel


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text up to where it was stopped, the tokens that were chosen, and why they ended."""

    text: str
    tokens: tuple[int, ...]
    stop: str


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
    draft: Sequence[int] = (),
) -> Decoded:
    """Write on after what `cache` holds, whose last token gave `logits` [vocabulary].

    Asks `cancelled` before every token and raises `Cancelled`. `find_stop` sees the text so far,
    without a character that is not complete yet. Bytes that can never become text end it. What is
    written begins with the bytes of `rewritten` tokens, which are no part of the text, nor do as
    many tokens count as some of `max_tokens`. A `draft` of what is likely to come saves steps and
    leaves the answer as it is; the cache may then hold more of it than was written.
    """
    text = ""
    pending = b"".join(map(model.tokenizer.token_bytes, rewritten))
    to_text = codecs.getincrementaldecoder("utf-8")()
    tokens: list[int] = []
    most = max_tokens + len(rewritten)
    chosen = most_likely(model, cache, logits, pending, draft[: most - 1])
    while len(tokens) < most:
        if cancelled():
            raise Cancelled
        token = next(chosen)
        if token in end_tokens:
            return Decoded(text, tuple(tokens), "end")
        tokens.append(token)
        written = model.tokenizer.token_bytes(token)
        visible, pending = written[len(pending) :], pending[len(written) :]
        try:
            text += to_text.decode(visible)
        except UnicodeDecodeError:
            return Decoded(text, tuple(tokens), "bytes")
        if (stop := find_stop(text)) is not None:
            return Decoded(text[: stop.keep], tuple(tokens), stop.reason)
    return Decoded(text, tuple(tokens), "length")


def most_likely(
    model: LanguageModel, cache: KeyValueCache, logits: Tensor, pending: bytes, draft: Sequence[int]
) -> Iterator[int]:
    """The most likely tokens after what `cache` holds, each read when the next is asked for.

    They begin with the bytes that are `pending`: of all tokens that agree with these, the most
    likely one (token healing). The draft is read in one pass, and what the decoder would not have
    chosen is taken back (Leviathan et al. 2023, "Fast inference from transformers via speculative
    decoding", with a greedy target).
    """
    decoder, tokenizer = model.decoder, model.tokenizer

    def choose(logits: Tensor) -> int:
        nonlocal pending
        if pending:
            fitting = tokenizer.fitting(pending).to(logits.device)
            token = int(fitting[logits[fitting].argmax()])
            pending = pending[len(tokenizer.token_bytes(token)) :]
            return token
        return int(logits.argmax())

    token = choose(logits)
    if draft and token == draft[0]:
        following = decoder.logits(decoder.forward(draft, cache))
        agreed: list[int] = []
        for drafted, scores in zip(draft, following, strict=True):
            if token != drafted:
                break
            agreed.append(token)
            token = choose(scores)
        cache.truncate(cache.length - len(draft) + len(agreed))
        yield from agreed
    while True:
        yield token
        token = choose(decoder.logits(decoder.forward([token], cache)[-1]))
