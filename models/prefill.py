"""Encoding what a cache has laid out, chunk by chunk, so that it can be called off."""

from collections.abc import Callable, Sequence

from torch import Tensor

from models.decoder import Decoder
from models.errors import Cancelled
from models.kv_cache import KeyValueCache
from models.token_tree import NO_TREE, TokenTree

CHUNK_TOKENS = 128  # a fifth of a second on two CPU cores, and near the best rate


def encode_in_chunks(
    decoder: Decoder,
    cache: KeyValueCache,
    positions: Sequence[int],
    cancelled: Callable[[], bool],
    attention: Tensor | None = None,
    ahead: TokenTree = NO_TREE,
) -> Tensor:
    """Encode the tokens at `positions` (ascending, at least one); the last one's hidden state.

    What might follow all that the cache holds can be read `ahead` in the last chunk: the states of
    its nodes come after that one, [1 + nodes, hidden]. Asks `cancelled` before each chunk and
    raises `Cancelled`; the chunks read so far stay in the cache and are good for the next prompt.
    To `attention` [last position + 1] is added how much the last token attends to each.
    """
    hidden: Tensor | None = None
    for start in range(0, len(positions), CHUNK_TOKENS):
        if cancelled():
            raise Cancelled(encoded=start)
        chunk = positions[start : start + CHUNK_TOKENS]
        if chunk[-1] == positions[-1]:
            hidden = decoder.encode(cache, chunk, attention=attention, ahead=ahead)
        else:
            decoder.encode(cache, chunk)
    assert hidden is not None
    return hidden[len(chunk) - 1 :]


def prefill(
    decoder: Decoder, cache: KeyValueCache, tokens: Sequence[int], cancelled: Callable[[], bool]
) -> Tensor:
    """Read `tokens` (at least one) after what `cache` holds; the last one's logits."""
    positions = cache.append(tokens)
    try:
        return decoder.logits(encode_in_chunks(decoder, cache, positions, cancelled)[0])
    except Cancelled as called_off:
        cache.truncate(positions[called_off.encoded])
        raise
