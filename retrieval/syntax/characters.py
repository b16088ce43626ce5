"""From bytes, in which syntax trees count, to characters of the text."""

from bisect import bisect_left
from itertools import accumulate


class Characters:
    """A text as the bytes that a parser reads, and which character each byte belongs to."""

    def __init__(self, text: str) -> None:
        self.data = text.encode(errors="replace")
        wide = [] if text.isascii() else [i for i, c in enumerate(text) if not c.isascii()]
        sizes = (len(text[i].encode(errors="replace")) - 1 for i in wide)
        self._before = [0, *accumulate(sizes)]  # bytes beyond one each, before the n-th wide one
        self._wide = [i + extra for i, extra in zip(wide, self._before, strict=False)]  # in bytes

    def at(self, byte: int) -> int:
        """The index of the character that begins at a byte."""
        return byte - self._before[bisect_left(self._wide, byte)]

    def byte_of(self, index: int) -> int:
        """The byte at which the character of an index begins."""
        low, high = 0, len(self._wide)
        while low < high:  # how many wide characters stand before it
            middle = (low + high) // 2
            if self._wide[middle] - self._before[middle] < index:
                low = middle + 1
            else:
                high = middle
        return index + self._before[low]
