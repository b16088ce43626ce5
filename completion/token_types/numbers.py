"""Tokens as the numbers that the type model knows them by."""

import zlib
from collections.abc import Iterable

from completion.token_types.typed_text import TypedToken
from completion.token_types.types import NAMES, TokenType

Numbers = tuple[int, int]  # of a type and of a word
WORDS = 8192  # word 0 stands for tokens whose type says it all, or whose text says too little


def word_of(token: TypedToken) -> int:
    """The number of a name or keyword; others share theirs by chance."""
    if token.type not in NAMES and token.type != TokenType.KEYWORD:
        return 0
    return 1 + zlib.crc32(token.text.encode()) % (WORDS - 1)


def numbers_of(tokens: Iterable[TypedToken]) -> list[Numbers]:
    return [(int(token.type), word_of(token)) for token in tokens]
