"""Suggestions that still hold: typing through one, or back to where it was, needs no model."""

from collections import deque
from dataclasses import dataclass, replace

from completion.confidence import after_typing
from completion.values import CompletionRequest, Suggestion, Timings, TokenCounts

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
    """A suggestion, where it was made, and how many characters stand before that."""

    place: Place
    length: int
    suggestion: Suggestion

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

    def find(self, request: CompletionRequest) -> Suggestion | None:
        """What is left at `request` of a suggestion that was made before, without any token."""
        for answered in self._answered:
            if (rest := answered.rest_at(request)) is not None:
                made = answered.suggestion
                return replace(
                    made,
                    text=rest,
                    stop="reuse",
                    tokens=TokenCounts(),
                    ms=Timings(),
                    confidence=after_typing(made.confidence, made.text, len(made.text) - len(rest)),
                )
        return None
