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
from operator import itemgetter

import torch
from rapidfuzz.distance import Indel
from torch import Tensor

from models.tokenizer import CodeTokenizer

IN_NAME = rb"[0-9A-Za-z_\x80-\xff]"  # a byte that is not ASCII may be of a letter
IDENTIFIER = re.compile(IN_NAME + rb"*")
HEAD = re.compile(rb" ?" + IN_NAME + rb"+")  # many tokens begin with a blank
LIKENESS = 8.0  # logits that a name gains which is all like the one that was meant
NOT_MEANT = -4.0
MASKS = 256  # that are kept, each of a vocabulary's bits


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
        self, names: Collection[bytes], written: bytes, meant: bytes, *, blank: bool = False
    ) -> Tensor | None:
        """What is added to the logits of tokens that may follow `written`, the beginning of a name.

        The name is to be one of `names` and like the one that was `meant`. [tokens], -inf for those
        that may not follow. None where no name begins so. Where a `blank` has to come first,
        anything else than a name may stand there as well.
        """
        begun = [name for name in names if name.startswith(written)]
        if not begun:
            return None
        return self._masks(
            frozenset(
                (b" " * blank + name[len(written) :], LIKENESS * likeness(meant, name))
                for name in begun
            ),
            blank,
        )

    def _make_mask(self, remainders: frozenset[tuple[bytes, float]], blank: bool) -> Tensor:
        mask = torch.full((len(self._ends),), -torch.inf)
        if blank:
            mask[self._no_name] = 0.0
        tokens: dict[int, float] = {}
        for left, more in sorted(remainders, key=itemgetter(1)):  # the likest has the last word
            for end in range(1, len(left) + 1):
                tokens.update(dict.fromkeys(self._within.get(left[:end], ()), more))
            tokens.update(dict.fromkeys(self._beyond.get(left, ()), more))
            if not left:
                mask[self._ends] = more
        mask[torch.tensor(list(tokens), dtype=torch.long)] = torch.tensor(list(tokens.values()))
        return mask


def likeness(meant: bytes, name: bytes) -> float:
    """How alike two names are, 0 to 1.

    What everything has, as `__class__`, is like nothing but its own kind.
    """
    if name.startswith(b"__") and not meant.startswith(b"__"):
        return NOT_MEANT
    return Indel.normalized_similarity(meant.lower(), name.lower())


def identifier_at(text: bytes) -> bytes:
    """The bytes that `text` begins with and that an identifier may be of."""
    found = IDENTIFIER.match(text)
    assert found is not None
    return found[0]
