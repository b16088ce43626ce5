"""What follows so many types, by counting: what the type model has to beat."""

import numpy as np
from numpy.typing import NDArray

from completion.token_types.types import TokenType

TYPES = len(TokenType)


class NGrams:
    """Counts of up to `order` types in a row, interpolated after Witten and Bell (1991, "The
    zero-frequency problem", method C).

    Where one text ends and the next begins is not told apart.
    """

    def __init__(self, types: NDArray[np.uint8], order: int) -> None:
        self._counts = [np.unique(codes(types, n + 1), return_counts=True) for n in range(order)]

    def probabilities(self, contexts: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Of each type [contexts, types] after contexts [contexts, order - 1]."""
        found = np.full((len(contexts), TYPES), 1 / TYPES)
        for length, (known, counts) in enumerate(self._counts):
            begun = np.zeros(len(contexts), np.int64)
            for column in range(contexts.shape[1] - length, contexts.shape[1]):
                begun = begun * TYPES + contexts[:, column]
            wanted = begun[:, None] * TYPES + np.arange(TYPES)
            places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
            seen = np.where(known[places] == wanted, counts[places], 0)
            kinds = (seen > 0).sum(1, keepdims=True)
            total = seen.sum(1, keepdims=True) + kinds
            found = np.where(total > 0, (seen + kinds * found) / np.maximum(total, 1), found)
        return found

    def likeliest(self, types: NDArray[np.uint8], at_once: int = 65_536) -> NDArray[np.int64]:
        """The likeliest type at each place of a sequence that has enough before it."""
        before = len(self._counts) - 1
        contexts = np.lib.stride_tricks.sliding_window_view(types, before + 1)[:, :before]
        parts = [
            self.probabilities(contexts[start : start + at_once]).argmax(1)
            for start in range(0, len(contexts), at_once)
        ]
        return np.concatenate(parts)


def codes(types: NDArray[np.uint8], length: int) -> NDArray[np.int64]:
    """So many types in a row, at each place, as one number."""
    windows = np.lib.stride_tricks.sliding_window_view(types, length)
    found = np.zeros(len(windows), np.int64)
    for column in range(length):
        found = found * TYPES + windows[:, column]
    return found
