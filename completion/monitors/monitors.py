"""Who watches a request: the monitors of its language, with the analyst that they ask."""

from collections.abc import Callable
from time import perf_counter

from completion.brackets import mask
from completion.monitors.attributes import Attributes
from completion.monitors.identifier_masks import IdentifierMasks
from completion.monitors.imports import Imports
from completion.monitors.places import attribute_at_end, import_at_end
from completion.monitors.questions import Names, Questions
from completion.monitors.syntax import Syntax
from completion.monitors.watch import NO_WATCH, Watch
from completion.nearby import nearby
from completion.prompt import Prompt
from completion.values import CompletionRequest, WatchCounts
from models.tokenizer import CodeTokenizer
from retrieval.analyst.questions import Analyst, Question

PYTHON = "python"


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
        self._syntax = Syntax()
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

        def find_names(text: bytes) -> Names | None:
            return questions.names(above + text.decode(errors="ignore"))

        typed = (line + rewritten).encode()
        at_cursor = attribute_at_end(typed, open_quotes) or import_at_end(typed, open_quotes)
        if at_cursor is not None:
            known = typed[: at_cursor.start] + b" " * at_cursor.blank
            questions.ask(above + known.decode())
        of_request = (self._masks, find_names, line.encode(), open_quotes)
        return Watch(
            (Attributes(*of_request), Imports(*of_request)),
            self._spell,
            counts,
            keep=lambda text: self._syntax.keep(request, text),
        )
