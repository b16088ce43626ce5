"""Which names there are at a place: told by static analysis after a dot and in imports, and by the
text itself anywhere else."""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as OutOfTime
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tree_sitter import Parser

from completion.menu.places import MenuPlace, PlaceKind
from completion.monitors.bindings import EVERYWHERE, names_in_scope, statement_at
from completion.monitors.monitors import root_of
from completion.monitors.receivers import indent_of
from completion.nearby import lines_below, nearby
from completion.values import PYTHON, CancelCheck, CompletionRequest, never_cancelled
from retrieval import grammars
from retrieval.analyst.questions import Analyst, Answer, Question, Wanted

IDENTIFIER = re.compile(r"[^\W\d]\w*")
AFTER_DOT = re.compile(r"\.([^\W\d]\w*)")
LARGEST_PARSED = 500_000  # characters of a text; of a larger one what is near counts
LOOK_SECONDS = 0.02  # between two looks whether anybody waits still


@dataclass(frozen=True, slots=True)
class MenuNames:
    """Those of one place, which may still be looked up: `answer` is on its way, None for none.

    `importable` are names that the file has not got yet, each with the module to import it from.
    """

    request: CompletionRequest
    place: MenuPlace
    answer: "Future[Answer | None] | None"
    importable: Mapping[str, str] = field(default_factory=dict)

    def wait(self, seconds: float, cancelled: CancelCheck = never_cancelled) -> frozenset[str]:
        """Those that begin with what is typed, in whatever case, as far as known in time."""
        known = self._answered(seconds, cancelled)
        if self.place.kind is PlaceKind.NAME:
            known = names_to_read(self.request, self.place.typed) | self.importable.keys()
        elif self.place.kind is PlaceKind.ATTRIBUTE and not known:
            known = attributes_near(self.request, self.place.typed)
        typed = self.place.typed.lower()
        return frozenset(name for name in known if name.lower().startswith(typed))

    @property
    def are_all(self) -> bool:
        """Whether nothing is looked up any more."""
        return self.answer is None or self.answer.done()

    def _answered(self, seconds: float, cancelled: CancelCheck) -> frozenset[str]:
        for _ in range(max(1, round(seconds / LOOK_SECONDS))):
            if self.answer is None or cancelled():
                break
            with suppress(OutOfTime):
                answer = self.answer.result(min(seconds, LOOK_SECONDS))
                return answer.names if answer is not None else frozenset()
        return frozenset()


def look_up(
    request: CompletionRequest,
    place: MenuPlace,
    analyst: Analyst | None,
    roots: Sequence[Path],
    importable: Mapping[str, str] | None = None,
) -> MenuNames:
    """Have the names of a place looked up while something else is done."""
    if analyst is None or place.kind is PlaceKind.NAME:
        return MenuNames(request, place, None, importable or {})
    before = request.before.removesuffix(place.typed)
    root = root_of(request.path, roots)
    question = Question(request.path, root, before, request.after, Wanted.NAMES)
    return MenuNames(request, place, analyst.ask(question))


def names_to_read(request: CompletionRequest, typed: str) -> frozenset[str]:
    """Those in scope; where they cannot be told, all in the text around."""
    around = nearby(request)
    seen = frozenset(IDENTIFIER.findall(f"{around.before.removesuffix(typed)} {around.after}"))
    if request.language != PYTHON:
        return seen
    if len(request.before) + len(request.after) > LARGEST_PARSED:
        return seen | spelled(EVERYWHERE)
    above, newline, line = request.before.rpartition("\n")
    written = statement_at(
        above + newline, indent_of(line.encode(errors="replace")), lines_below(request.after)
    )
    tree = Parser(grammars.PYTHON).parse(written.text)
    found = names_in_scope(written.text, tree.root_node, written.place)
    if found is None:
        return seen | spelled(EVERYWHERE)
    return spelled(found)


def spelled(names: frozenset[bytes]) -> frozenset[str]:
    return frozenset(name.decode(errors="ignore") for name in names)


def attributes_near(request: CompletionRequest, typed: str) -> frozenset[str]:
    """The names that stand after a dot in the text around, where nothing else is known."""
    around = nearby(request)
    before = around.before.removesuffix(typed)
    return frozenset(AFTER_DOT.findall(f"{before} {around.after}"))
