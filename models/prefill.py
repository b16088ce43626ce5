"""Reading a prompt into a cache, chunk by chunk, so that it can be called off in between."""

from collections.abc import Callable

from torch import Tensor

from models.decoder import Decoder
from models.errors import Cancelled
from models.kv_cache import KeyValueCache

CHUNK_TOKENS = 128  # about a second on two CPU cores, and near the best rate of larger chunks


def prefill(
    decoder: Decoder, cache: KeyValueCache, tokens: list[int], cancelled: Callable[[], bool]
) -> Tensor:
    """Read `tokens` (at least one) after what `cache` holds; the last one's logits [vocabulary].

    Asks `cancelled` before each chunk and raises `Cancelled`; the chunks read so far stay in the
    cache and are good for the next prompt.
    """
    assert tokens
    hidden: Tensor | None = None
    for start in range(0, len(tokens), CHUNK_TOKENS):
        if cancelled():
            raise Cancelled(encoded=start)
        hidden = decoder.forward(tokens[start : start + CHUNK_TOKENS], cache)
    assert hidden is not None
    return decoder.logits(hidden[-1])
