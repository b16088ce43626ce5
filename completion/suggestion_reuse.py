"""Suggestions that still hold: typing through one, or back to where it was, needs no model."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from completion.confidence import after_typing
from completion.values import CompletionRequest, Suggestion, Timings, TokenCounts

REUSE = "reuse"  # why a suggestion ended that was not written now
REMEMBERED = 32  # suggestions, of all documents


@dataclass(frozen=True, slots=True)
class Place:
    """Where a suggestion was made. Texts may be large, so that only their hashes are kept."""

    document: str
    before: int
    after: int
    indentation: str
    single_line: bool

    @classmethod
    def of(cls, request: CompletionRequest, length: int) -> "Place":
        """The place after `length` characters of what stands before the cursor."""
        return cls(
            request.document,
            hash(request.before[:length]),
            hash(request.after),
            request.indentation,
            request.single_line,
        )


@dataclass(frozen=True, slots=True)
class Answered:
    """A suggestion, where it was made, and how many characters stand before that.

    `others` are those that it was the first of when up to `asked` were asked for.
    """

    place: Place
    length: int
    suggestion: Suggestion
    others: tuple[Suggestion, ...] = ()
    asked: int = 1

    def rest_at(self, request: CompletionRequest) -> str | None:
        """What is left of the text at `request`, if that is where typing it leads."""
        text = self.suggestion.text
        count = len(request.before) - self.length
        if not (count == 0 or 0 < count < len(text)):
            return None
        typed = request.before[self.length :]
        if not text.startswith(typed) or Place.of(request, self.length) != self.place:
            return None
        return text[count:]


class SuggestionReuse:
    """The last suggestions, newest first."""

    def __init__(self) -> None:
        self._answered: deque[Answered] = deque(maxlen=REMEMBERED)

    def remember(self, request: CompletionRequest, suggestion: Suggestion) -> None:
        length = len(request.before)
        self._answered.appendleft(Answered(Place.of(request, length), length, suggestion))

    def remember_several(
        self, request: CompletionRequest, suggestions: Sequence[Suggestion], asked: int
    ) -> None:
        """What came when up to `asked` suggestions were asked for; each may be typed through."""
        first, *others = suggestions
        for other in reversed(others):
            self.remember(request, other)
        self.remember(request, first)
        self._answered[0] = replace(self._answered[0], others=tuple(others), asked=asked)

    def find_several(self, request: CompletionRequest, most: int) -> list[Suggestion] | None:
        """What came at `request` when so many were asked for, or more; None if they were not."""
        first = self.find(request)
        for answered in self._answered:
            rest = answered.rest_at(request)
            if first and answered.asked >= most and rest == answered.suggestion.text:
                return [first, *answered.others][:most]
        return None

    def find(self, request: CompletionRequest) -> Suggestion | None:
        """What is left at `request` of a suggestion that was made before, without any token."""
        for answered in self._answered:
            if (rest := answered.rest_at(request)) is not None:
                made = answered.suggestion
                return replace(
                    made,
                    text=rest,
                    stop=REUSE,
                    tokens=TokenCounts(),
                    ms=Timings(),
                    confidence=after_typing(made.confidence, made.text, len(made.text) - len(rest)),
                )
        return None
