"""Who watches a request: the monitors of its language, with the analyst that they ask."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from time import perf_counter

from completion.brackets import mask
from completion.monitors.attributes import Attributes, Names
from completion.monitors.identifier_masks import IdentifierMasks
from completion.monitors.places import attribute_at_end
from completion.monitors.watch import NO_WATCH, Watch
from completion.nearby import nearby
from completion.prompt import Prompt
from completion.values import CompletionRequest, WatchCounts
from models.tokenizer import CodeTokenizer
from retrieval.analyst.questions import Analyst, Answer, Question

PYTHON = "python"


@dataclass(slots=True)
class Questions:
    """What is asked for one request: each place once, waiting no more than `seconds` in all."""

    analyst: Analyst
    place: Question
    seconds: float
    counts: WatchCounts
    clock: Callable[[], float]
    _asked: dict[str, Future[Answer | None]] = field(default_factory=dict)

    def ask(self, before: str) -> Future[Answer | None]:
        """About a place in the same file, `before` being all that stands before it."""
        if before not in self._asked:
            self.counts.asked += 1
            self._asked[before] = self.analyst.ask(replace(self.place, before=before))
        return self._asked[before]

    def names(self, before: str) -> Names | None:
        """Those that may stand at the place; None where any may, for all that is known in time."""
        started = self.clock()
        try:
            answer = self.ask(before).result(timeout=max(0.0, self.seconds))
        except TimeoutError:
            answer = None
        waited = self.clock() - started
        self.seconds -= waited
        self.counts.waited_ms += 1e3 * waited
        if answer is None or not answer.complete or not answer.names:
            self.counts.unanswered += 1
            return None
        return frozenset(map(str.encode, answer.names))


class Monitors:
    """Makes the watch of each request. `root` is the folder of the workspace."""

    def __init__(
        self,
        tokenizer: CodeTokenizer,
        analyst: Analyst,
        root: str = "",
        seconds: float = 0.1,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._spell = tokenizer.token_bytes
        self._masks = IdentifierMasks(tokenizer)
        self._analyst = analyst
        self._root = root
        self._seconds = seconds
        self._clock = clock

    def watch(self, request: CompletionRequest, prompt: Prompt) -> Watch:
        """What stands at the cursor is asked about now, to be known once the prompt is read."""
        if request.language != PYTHON:
            return NO_WATCH
        rewritten = b"".join(map(self._spell, prompt.end.rewritten)).decode(errors="ignore")
        before = request.before.removesuffix(rewritten)
        line_start = before.rfind("\n") + 1
        above, line = before[:line_start], before[line_start:]
        shown = nearby(request).before
        open_quotes = mask(shown[: len(shown) - len(request.before) + line_start]).open_quotes
        counts = WatchCounts()
        place = Question(request.path, self._root, request.before, request.after)
        questions = Questions(self._analyst, place, self._seconds, counts, self._clock)
        typed = (line + rewritten).encode()
        if (at_cursor := attribute_at_end(typed, open_quotes)) is not None:
            questions.ask(above + typed[: at_cursor.start].decode())

        def find_names(text: bytes) -> Names | None:
            return questions.names(above + text.decode(errors="ignore"))

        attributes = Attributes(self._masks, find_names, line.encode(), open_quotes)
        return Watch((attributes,), self._spell, counts)
