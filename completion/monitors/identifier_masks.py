"""Which tokens of a vocabulary may follow an identifier that is partly written.

A token may follow where it writes the beginning of what is left of an allowed name, all of it, or
all of it and then something that ends an identifier (Agrawal et al. 2023, "Guiding Language Models
of Code with Global Context using Monitors", section 3). The vocabulary is sorted once by the
identifiers that its tokens begin with, so that what is left of a name, its remainder, is looked up
and not searched for.
"""

import re
from collections import defaultdict
from collections.abc import Collection
from functools import lru_cache

import torch
from torch import Tensor

from models.tokenizer import CodeTokenizer

IDENTIFIER = re.compile(rb"[0-9A-Za-z_\x80-\xff]*")  # a byte that is not ASCII may be of a letter
MASKS = 256  # that are kept, each of a vocabulary's bits


class IdentifierMasks:
    """Masks for one vocabulary."""

    def __init__(self, tokenizer: CodeTokenizer) -> None:
        self._within: dict[bytes, list[int]] = defaultdict(list)  # tokens that are all identifier
        self._beyond: dict[bytes, list[int]] = defaultdict(list)  # and those that end one
        for token in range(tokenizer.size):
            spelling = tokenizer.token_bytes(token)
            head = identifier_at(spelling)
            (self._within if head == spelling != b"" else self._beyond)[head].append(token)
        self._size = tokenizer.size
        self._masks = lru_cache(MASKS)(self._make_mask)

    def following(self, names: Collection[bytes], written: bytes) -> Tensor | None:
        """Which tokens may follow `written`, the beginning of one of `names`: bool [tokens].

        None where it is the beginning of none.
        """
        left = frozenset(n[len(written) :] for n in names if n.startswith(written))
        return self._masks(left) if left else None

    def _make_mask(self, remainders: frozenset[bytes]) -> Tensor:
        tokens: list[int] = []
        for left in remainders:
            for end in range(1, len(left) + 1):
                tokens += self._within.get(left[:end], ())
            tokens += self._beyond.get(left, ())
        mask = torch.zeros(self._size, dtype=torch.bool)
        mask[torch.tensor(tokens)] = True
        return mask


def identifier_at(text: bytes) -> bytes:
    """The bytes that `text` begins with and that an identifier may be of."""
    found = IDENTIFIER.match(text)
    assert found is not None
    return found[0]
