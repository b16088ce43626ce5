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
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from models.tokenizer import CodeTokenizer

IN_NAME = rb"[0-9A-Za-z_\x80-\xff]"  # a byte that is not ASCII may be of a letter
IDENTIFIER = re.compile(IN_NAME + rb"*")
HEAD = re.compile(rb" ?" + IN_NAME + rb"+")  # many tokens begin with a blank
MASKS = 256  # that are kept, each of a vocabulary's bits


@dataclass(frozen=True, slots=True)
class Mask:
    """Which tokens may follow: bool [tokens].

    `wanted` are those that follow where the likeliest of all tokens may not. A model that is kept
    from a name that does not exist is not led to `__class__` and the like, which everything has and
    nobody meant.
    """

    allowed: Tensor
    wanted: Tensor

    def of(self, logits: Tensor) -> Tensor:
        """Which of all tokens may follow where they have `logits` [vocabulary]."""
        chosen = self.allowed
        likeliest = int(logits.argmax())
        if likeliest >= len(chosen) or not chosen[likeliest]:
            chosen = self.wanted
        more = len(logits) - len(chosen)  # ids beyond the tokenizer's stand for nothing
        return torch.cat((chosen, chosen.new_zeros(more))) if more else chosen


class IdentifierMasks:
    """Masks for one vocabulary."""

    def __init__(self, tokenizer: CodeTokenizer) -> None:
        self._within: dict[bytes, list[int]] = defaultdict(list)  # tokens that are all identifier
        self._beyond: dict[bytes, list[int]] = defaultdict(list)  # and those that end one
        spellings = [tokenizer.token_bytes(token) for token in range(tokenizer.size)]
        for token, spelling in enumerate(spellings):
            if (head := HEAD.match(spelling)) is not None:
                (self._within if head[0] == spelling else self._beyond)[head[0]].append(token)
        self._within[b" "] += [token for token, s in enumerate(spellings) if s == b" "]
        self._ends = torch.tensor([not identifier_at(spelling) for spelling in spellings])
        self._no_name = torch.tensor([not HEAD.match(spelling) for spelling in spellings])
        self._masks = lru_cache(MASKS)(self._make_mask)

    def following(
        self, names: Collection[bytes], written: bytes, *, blank: bool = False
    ) -> Mask | None:
        """Which tokens may follow `written`, the beginning of one of `names`.

        None where it is the beginning of none. Where a `blank` has to come first, anything else
        than a name may stand there as well.
        """
        begun = [name for name in names if name.startswith(written)]
        if not begun:
            return None
        meant = [name for name in begun if not name.startswith(b"__")] or begun
        allowed, wanted = (
            self._masks(frozenset(b" " * blank + name[len(written) :] for name in some), blank)
            for some in (begun, meant)
        )
        return Mask(allowed, wanted)

    def _make_mask(self, remainders: frozenset[bytes], blank: bool) -> Tensor:
        mask = self._no_name.clone() if blank else torch.zeros(len(self._ends), dtype=torch.bool)
        tokens: list[int] = []
        for left in remainders:
            for end in range(1, len(left) + 1):
                tokens += self._within.get(left[:end], ())
            tokens += self._beyond.get(left, ())
        mask[torch.tensor(tokens, dtype=torch.long)] = True
        return mask | self._ends if b"" in remainders else mask


def identifier_at(text: bytes) -> bytes:
    """The bytes that `text` begins with and that an identifier may be of."""
    found = IDENTIFIER.match(text)
    assert found is not None
    return found[0]
