"""What an identifier is made of, in bytes and in tokens."""

import re

import torch
from torch import Tensor

from models.tokenizer import CodeTokenizer

NAME = re.compile(rb"[A-Za-z_\x80-\xff][0-9A-Za-z_\x80-\xff]*")
# A byte that is not ASCII may be of a letter, and in some languages a dollar sign is one.
IDENTIFIER = re.compile(rb"[0-9A-Za-z_$\x80-\xff]*")


def identifier_at(text: bytes) -> bytes:
    """The bytes that `text` begins with and that an identifier may be of."""
    found = IDENTIFIER.match(text)
    assert found is not None
    return found[0]


def is_dunder(name: bytes) -> bool:
    """Whether Python itself gives the name its meaning; no listing has all of these."""
    return name.startswith(b"__") and name.endswith(b"__")


def ends_of_names(tokenizer: CodeTokenizer) -> Tensor:
    """Which tokens end the name that they follow. Bool [tokens]."""
    spellings = map(tokenizer.token_bytes, range(tokenizer.size))
    return torch.tensor([not identifier_at(spelling) for spelling in spellings])
