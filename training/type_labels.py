"""Which type of Python's tokens each of the model's tokens belongs to."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import pairwise

from completion.token_types.typed_text import TypedText
from completion.token_types.types import TokenType

NO_TYPE = -100  # of a token that belongs to none; losses leave it out


class TypeLabels:
    """The types of one document, by bytes.

    A token of the model belongs to the token of Python that its first byte stands in which is no
    space, or that follows where it is blank.
    """

    def __init__(self, text: str) -> None:
        self._ends: list[int] = []
        self._types: list[TokenType] = []
        start = 0
        for line in TypedText().follow(f"{text}\n").lines:
            for token in line.tokens:
                column = len(line.text[: token.end].encode()) + (token.end > len(line.text))
                self._ends.append(start + column)
                self._types.append(token.type)
            start += len(line.text.encode()) + 1

    def of(self, tokens: Iterable[int], spell: Callable[[int], bytes], start: int) -> list[int]:
        """Labels of tokens that write the document on from the byte `start`."""
        places = [start]
        blanks: list[int] = []
        for token in tokens:
            spelled = spell(token)
            places.append(places[-1] + len(spelled))
            blanks.append(len(spelled) - len(spelled.lstrip(b" \t")))
        return [
            self._at(min(place + blank, end - 1))
            for (place, end), blank in zip(pairwise(places), blanks, strict=True)
        ]

    def _at(self, byte: int) -> int:
        number = bisect_right(self._ends, byte)
        return int(self._types[number]) if number < len(self._types) else NO_TYPE
