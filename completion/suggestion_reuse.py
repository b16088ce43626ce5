"""Suggestions that still hold: typing through one, or back to where it was, needs no model."""

from collections import deque
from dataclasses import dataclass, replace

from completion.values import CompletionRequest, Suggestion, Timings, TokenCounts

REMEMBERED = 32  # suggestions, of all documents


@dataclass(frozen=True, slots=True)
class Answered:
    """A suggestion and the request it answered."""

    request: CompletionRequest
    suggestion: Suggestion

    def rest_at(self, request: CompletionRequest) -> str | None:
        """What is left of the text at `request`, if that is where typing it leads."""
        asked, text = self.request, self.suggestion.text
        typed = request.before[len(asked.before) :]
        same = replace(asked, before=asked.before + typed) == request
        if not same or not text.startswith(typed) or (typed and typed == text):
            return None
        return text[len(typed) :]


class SuggestionReuse:
    """The last suggestions, newest first."""

    def __init__(self) -> None:
        self._answered: deque[Answered] = deque(maxlen=REMEMBERED)

    def remember(self, request: CompletionRequest, suggestion: Suggestion) -> None:
        self._answered.appendleft(Answered(request, suggestion))

    def find(self, request: CompletionRequest) -> Suggestion | None:
        """What is left at `request` of a suggestion that was made before, without any token."""
        for answered in self._answered:
            if (rest := answered.rest_at(request)) is not None:
                return replace(
                    answered.suggestion,
                    text=rest,
                    stop="reuse",
                    tokens=TokenCounts(),
                    ms=Timings(),
                )
        return None
