"""Other suggestions than the likeliest: where the model was least sure, it is asked for more.

Greedy decoding leaves a branch wherever another token was likely too. The likeliest of them, each
with all that stands before it, are gone on from, greedily again. They share the cache with the text
that they leave, up to where they leave it.
"""

import heapq
from collections.abc import Callable, Container

from torch import Tensor

from completion.decoded import Branch, Decoded
from completion.token_difference import common_prefix
from models.decoder import Decoder
from models.kv_cache import KeyValueCache


def likeliest_branches(
    decoded: Decoded,
    token_bytes: Callable[[int], bytes],
    end_tokens: Container[int],
    most: int,
) -> list[Branch]:
    """Up to `most` branches that write something else, the longest first.

    In that order each finds what it shares with the text still in the cache.
    """

    def spelled(tokens: tuple[int, ...]) -> bytes:
        return b"".join(map(token_bytes, tokens))

    written = spelled(decoded.tokens)
    others = (
        branch
        for branch in decoded.branches
        if branch.tokens[-1] not in end_tokens and not written.startswith(spelled(branch.tokens))
    )
    likeliest = heapq.nlargest(most, others, key=lambda branch: branch.log_probability)
    return sorted(likeliest, key=lambda branch: len(branch.tokens), reverse=True)


def read_branch(decoder: Decoder, cache: KeyValueCache, start: int, branch: Branch) -> Tensor:
    """Have `cache` hold its first `start` tokens and then the branch; logits [vocabulary] after it.

    What it holds of the branch already is not read again, but for the last token.
    """
    *before, _ = branch.tokens
    shared = common_prefix(cache.tokens[start:], before)
    cache.truncate(start + shared)
    return decoder.logits(decoder.forward(branch.tokens[shared:], cache)[-1])
