"""Who watches a request: the monitors of its language, with the analyst that they ask."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from time import perf_counter

from completion.brackets import balance, mask
from completion.monitors.bindings import names_in_scope, statement_at
from completion.monitors.declared_names import DeclaredNames, begun_list
from completion.monitors.existing_names import ATTRIBUTES, IMPORTS, ExistingNames
from completion.monitors.keywords import Keywords
from completion.monitors.names import ends_of_names
from completion.monitors.names_in_scope import NamesInScope
from completion.monitors.places import attribute_at_end, import_at_end
from completion.monitors.questions import Lookup, Questions
from completion.monitors.receivers import indent_of
from completion.monitors.syntax import Syntax
from completion.monitors.watch import NO_WATCH, Monitor, Watch
from completion.nearby import lines_below
from completion.values import PYTHON, CompletionRequest, WatchCounts
from models.tokenizer import CodeTokenizer
from retrieval.analyst.questions import Analyst, Question, Wanted
from retrieval.symbols.answers import is_declared_language

WAIT_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A cursor's place in its file: the lines `above`, its `line` as far as the model has read it,
    the end of that which is `rewritten`, and what stands `after` it."""

    above: str
    line: str
    rewritten: str
    after: str

    @property
    def typed(self) -> bytes:
        return (self.line + self.rewritten).encode()

    @property
    def below(self) -> str:
        """The lines after the cursor's."""
        return lines_below(self.after)


class Monitors:
    """Makes the watch of each request.

    `roots` are the folders of the workspace; a request waits for analysis no more than `seconds`.
    """

    def __init__(
        self,
        tokenizer: CodeTokenizer,
        analyst: Analyst,
        roots: Sequence[Path] = (),
        seconds: float = WAIT_SECONDS,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._tokenizer = tokenizer
        self._name_ends = ends_of_names(tokenizer)
        self._syntax = Syntax()
        self._analyst = analyst
        self._roots = roots
        self._seconds = seconds
        self._clock = clock

    def watch(self, request: CompletionRequest, near: CompletionRequest, known: str) -> Watch:
        """Of a request, which has so much text `near` its cursor, and is `known` so far.

        What stands there is asked about now, to be known once the prompt is read.
        """
        rewritten = request.before[len(known) :]
        line_start = known.rfind("\n") + 1
        around = Surroundings(known[:line_start], known[line_start:], rewritten, request.after)
        if request.language == PYTHON:
            return self._watch_python(request, near, around)
        if is_declared_language(request.path):
            return self._watch_declared(request, around)
        return NO_WATCH

    def _watch_python(
        self, request: CompletionRequest, near: CompletionRequest, around: Surroundings
    ) -> Watch:
        shown, above = near.before, around.above
        masked = mask(shown[: len(shown) - len(request.before) + len(above)])
        open_quotes = masked.open_quotes
        questions = self._questions(request, around.below)
        lookup = Lookup(questions, above)
        typed = around.typed
        at_cursor = attribute_at_end(typed, open_quotes) or import_at_end(typed, open_quotes)
        if at_cursor is not None:
            lookup.ask(typed[: at_cursor.start] + b" " * at_cursor.blank)
        elif "self." in shown:  # which is what is likeliest to come
            lookup.ask(indent_of(typed) + b"self.")
        monitors: list[Monitor] = [
            ExistingNames(ATTRIBUTES, lookup, open_quotes, len(typed)),
            ExistingNames(IMPORTS, lookup, open_quotes, len(typed)),
            Keywords(lookup, open_quotes, len(typed)),
        ]
        goes_on = above.rstrip(" \t").endswith("\\\n") or balance(masked.text).openers
        if not open_quotes and not goes_on:
            below = partial(self._names_in_scope, request.document, above, around.below)
            rest = request.after.removesuffix(around.below)
            monitors.append(NamesInScope(cache(below), rest.encode(), len(typed)))
        keep = partial(self._syntax.keep, request)
        return self._watch(around, monitors, questions, keep)

    def _watch_declared(self, request: CompletionRequest, around: Surroundings) -> Watch:
        questions = self._questions(request, request.after)
        rest, begun = request.after.encode(errors="replace"), begun_list(around.above)
        names = DeclaredNames(questions, around.above, rest, len(around.typed), begun)
        names.find_wrong(around.typed, {}, ended=False)  # which asks about the cursor's place
        return self._watch(around, [names], questions, str)

    def _questions(self, request: CompletionRequest, after: str) -> Questions:
        root = root_of(request.path, self._roots)
        place = Question(request.path, root, "", after, Wanted.NAMES)
        return Questions(self._analyst, place, self._seconds, WatchCounts(), self._clock)

    def _watch(
        self,
        around: Surroundings,
        monitors: Sequence[Monitor],
        questions: Questions,
        keep: Callable[[str], str],
    ) -> Watch:
        return Watch(
            monitors,
            around.line.encode(),
            self._tokenizer.token_bytes,
            self._name_ends,
            questions.counts,
            keep,
        )

    def _names_in_scope(
        self, document: str, above: str, after: str, indent: bytes
    ) -> frozenset[bytes] | None:
        """What may be read on a line of a document, so far indented, between two texts."""
        written = statement_at(above, indent, after)
        tree = self._syntax.follow(document, written.text).tree
        return names_in_scope(written.text, tree.root_node, written.place)


def root_of(path: str, roots: Sequence[Path]) -> str:
    """The innermost of `roots` that a file lies in, or else its own folder."""
    around = [root for root in roots if path and Path(path).is_relative_to(root)]
    return str(max(around, key=lambda root: len(root.parts), default=Path(path).parent))
