"""Greedy decoding: the most likely token, again and again, until a rule says stop."""

import codecs
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from completion.stop_rules import Stop
from completion.token_difference import common_prefix
from completion.values import CancelCheck
from models.decoder import Decoder
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
    draft: Sequence[int] = (),
) -> Decoded:
    """Write on after what `cache` holds, whose last token gave `logits` [vocabulary].

    Asks `cancelled` before every token and raises `Cancelled`. `find_stop` sees the text so far,
    without a character that is not complete yet. Bytes that can never become text end it. A
    `draft` of what is likely to come saves steps and leaves the answer as it is; the cache may
    then hold more of it than was written.
    """
    text = ""
    to_text = codecs.getincrementaldecoder("utf-8")()
    tokens: list[int] = []
    chosen = most_likely(model.decoder, cache, logits, draft[: max_tokens - 1])
    while len(tokens) < max_tokens:
        if cancelled():
            raise Cancelled
        token = next(chosen)
        if token in end_tokens:
            return Decoded(text, tuple(tokens), "end")
        tokens.append(token)
        try:
            text += to_text.decode(model.tokenizer.token_bytes(token))
        except UnicodeDecodeError:
            return Decoded(text, tuple(tokens), "bytes")
        if (stop := find_stop(text)) is not None:
            return Decoded(text[: stop.keep], tuple(tokens), stop.reason)
    return Decoded(text, tuple(tokens), "length")


def most_likely(
    decoder: Decoder, cache: KeyValueCache, logits: Tensor, draft: Sequence[int]
) -> Iterator[int]:
    """The most likely tokens after what `cache` holds, each read when the next is asked for.

    The draft is read in one pass, and what the decoder would not have chosen is taken back
    (Leviathan et al. 2023, "Fast inference from transformers via speculative decoding", with a
    greedy target).
    """
    if draft:
        following = decoder.logits(decoder.forward(draft, cache))
        best = [int(logits.argmax()), *following.argmax(-1).tolist()]
        agreed = common_prefix(best, draft)
        cache.truncate(cache.length - len(draft) + agreed)
        yield from draft[:agreed]
        if agreed:
            logits = following[agreed - 1]
    while True:
        token = int(logits.argmax())
        yield token
        logits = decoder.logits(decoder.forward([token], cache)[-1])
