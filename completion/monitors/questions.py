"""What the monitors of one request ask: each place once, and no longer than there is time.

Monitors fail open. Where nothing is known, or not all, or not in time, anything may follow.
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from completion.monitors.receivers import question_text, used_in
from completion.values import WatchCounts
from retrieval.analyst.questions import Analyst, Answer, Question, Wanted

Names = frozenset[bytes]
Asked = tuple[str, Wanted, str]  # text before a place, what is asked about it, text beside it


@dataclass(slots=True)
class Questions:
    """About one file, as `place` gives it, waiting no more than `seconds` for all together."""

    analyst: Analyst
    place: Question
    seconds: float
    counts: WatchCounts
    clock: Callable[[], float]
    _asked: dict[Asked, Future[Answer | None]] = field(default_factory=dict)
    _known: dict[Asked, Names | None] = field(default_factory=dict)

    def ask(self, before: str, wanted: Wanted, beside: str = "") -> Future[Answer | None]:
        """About a place in the file: `before` is all that stands before it, `beside` what was
        written between it and what stands after all."""
        key = (before, wanted, beside)
        if key not in self._asked:
            self.counts.asked += 1
            after = beside + self.place.after
            question = replace(self.place, before=before, after=after, wanted=wanted)
            self._asked[key] = self.analyst.ask(question)
        return self._asked[key]

    def names(self, before: str, wanted: Wanted, beside: str = "") -> Names | None:
        """Those that may stand at the place; None where any may, for all that is known in time."""
        key = (before, wanted, beside)
        if key not in self._known:
            names = self._wait(self.ask(before, wanted, beside))
            self._known[key] = names
            self.counts.unanswered += names is None
        return self._known[key]

    def _wait(self, asked: Future[Answer | None]) -> Names | None:
        started = self.clock()
        try:
            answer = asked.result(timeout=max(0.0, self.seconds))
        except TimeoutError:
            answer = None
        waited = self.clock() - started
        self.seconds -= waited
        self.counts.waited_ms += 1e3 * waited
        if answer is None or not answer.complete or not answer.names:
            return None
        if answer.call is not None and answer.call.any_keyword:
            return None
        return frozenset(map(str.encode, answer.names))


@dataclass(frozen=True, slots=True)
class Lookup:
    """The names that may stand at the end of a text which goes on from the lines `above`."""

    questions: Questions
    above: str
    _known: dict[bytes, Names | None] = field(default_factory=dict)

    def ask(self, text: bytes) -> None:
        """Have them looked up while something else is done."""
        self.questions.ask(self._before(text), Wanted.NAMES)

    def names(self, text: bytes) -> Names | None:
        """None where any may stand there."""
        if text not in self._known:
            names = self.questions.names(self._before(text), Wanted.NAMES)
            self._known[text] = names and names | used_in(text)
        return self._known[text]

    def keywords(self, text: bytes) -> Names | None:
        """Those of the call that is open there; None where any may be given."""
        return self.questions.names(self.above + text.decode(errors="ignore"), Wanted.CALL)

    def _before(self, text: bytes) -> str:
        return self.above + question_text(text).decode(errors="ignore")
