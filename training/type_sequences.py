"""Documents as sequences of typed tokens, by their numbers."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from completion.token_types.numbers import word_of
from completion.token_types.typed_text import TypedText


@dataclass(frozen=True, slots=True)
class TypeSequences:
    """All tokens of some texts, one after the other: types and words [tokens], and where each text
    starts [texts]."""

    types: NDArray[np.uint8]
    words: NDArray[np.uint16]
    starts: NDArray[np.int64]


def sequences_of(texts: Iterable[str], most: int) -> TypeSequences:
    """Those of texts, until there are `most` tokens."""
    types: list[int] = []
    words: list[int] = []
    starts: list[int] = []
    for text in texts:
        if len(types) >= most:
            break
        starts.append(len(types))
        whole = text if text.endswith("\n") else f"{text}\n"
        for line in TypedText().follow(whole).lines:
            types += (token.type for token in line.tokens)
            words += (word_of(token) for token in line.tokens)
    return TypeSequences(
        np.array(types, np.uint8), np.array(words, np.uint16), np.array(starts, np.int64)
    )
