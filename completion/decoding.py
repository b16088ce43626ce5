"""Greedy decoding: the most likely token, again and again, until a rule says stop."""

import codecs
from collections.abc import Callable
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
) -> Decoded:
    """Write on after what `cache` holds, whose last token gave `logits` [vocabulary].

    Asks `cancelled` before every token and raises `Cancelled`. `find_stop` sees the text so far,
    without a character that is not complete yet. Bytes that can never become text end it.
    """
    decoder, text = model.decoder, ""
    to_text = codecs.getincrementaldecoder("utf-8")()
    tokens: list[int] = []
    while len(tokens) < max_tokens:
        if cancelled():
            raise Cancelled
        token = int(logits.argmax())
        if token in end_tokens:
            return Decoded(text, tuple(tokens), "end")
        tokens.append(token)
        try:
            text += to_text.decode(model.tokenizer.token_bytes(token))
        except UnicodeDecodeError:
            return Decoded(text, tuple(tokens), "bytes")
        if (stop := find_stop(text)) is not None:
            return Decoded(text[: stop.keep], tuple(tokens), stop.reason)
        if len(tokens) < max_tokens:
            logits = decoder.logits(decoder.forward([token], cache)[-1])
    return Decoded(text, tuple(tokens), "length")
