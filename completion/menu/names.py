"""Which names there are at a place, and what they are: told by static analysis after a dot and in
imports, and by the text itself anywhere else."""

import builtins
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as OutOfTime
from contextlib import suppress
from dataclasses import dataclass, field
from keyword import iskeyword
from pathlib import Path

from tree_sitter import Parser

from completion.menu.places import MenuPlace, PlaceKind
from completion.monitors.bindings import EVERYWHERE, kinds_in_scope, statement_at
from completion.monitors.monitors import root_of
from completion.monitors.receivers import indent_of
from completion.nearby import lines_below, nearby
from completion.values import PYTHON, CancelCheck, CompletionRequest, never_cancelled
from retrieval import grammars
from retrieval.analyst.questions import Analyst, Answer, Question, Wanted
from retrieval.index.database import IndexDatabase
from retrieval.index.declarations import Kind, Kinds
from retrieval.index.outline import outline_of
from retrieval.related.importable import Importable
from retrieval.related.java_names import NONE_LISTED, ListedNames, listed_names

IDENTIFIER = re.compile(r"[^\W\d]\w*")
AFTER_DOT = re.compile(r"\.([^\W\d]\w*)")
LARGEST_PARSED = 500_000  # characters of a text; of a larger one what is near counts
LOOK_SECONDS = 0.02  # between two looks whether anybody waits still


def kind_of_builtin(name: str) -> Kind | None:
    """What Python itself calls so; None for a name of other versions of it."""
    if iskeyword(name):
        return Kind.KEYWORD
    value = getattr(builtins, name, None)
    if isinstance(value, type):
        return Kind.CLASS
    return Kind.FUNCTION if callable(value) else None


BUILT_IN: Kinds = {name.decode(): kind_of_builtin(name.decode()) for name in EVERYWHERE}


@dataclass(frozen=True, slots=True)
class MenuNames:
    """Those of one place, which may still be looked up: `answer` is on its way, None for none.

    `importable` are names that the file has not got yet, each with what it would be imported as;
    `indexed` those that the index of the repository knows there, of a language without analysis.
    """

    request: CompletionRequest
    place: MenuPlace
    answer: "Future[Answer | None] | None"
    importable: Mapping[str, Importable] = field(default_factory=dict)
    indexed: ListedNames = NONE_LISTED

    def wait(self, seconds: float, cancelled: CancelCheck = never_cancelled) -> Kinds:
        """Those that begin with what is typed, in whatever case, as far as known in time."""
        known = {**self._answered(seconds, cancelled), **self.indexed.names}
        if self.place.kind is PlaceKind.NAME:
            imported = {name: one.kind for name, one in self.importable.items()}
            known = {**imported, **names_to_read(self.request, self.place.typed), **known}
        elif self.place.kind is PlaceKind.ATTRIBUTE and not self._is_told(known):
            near = attributes_near(self.request, self.place.typed)
            known = {**dict.fromkeys(near), **known}
        typed = self.place.typed.lower()
        return {name: kind for name, kind in known.items() if name.lower().startswith(typed)}

    @property
    def are_all(self) -> bool:
        """Whether nothing is looked up any more."""
        return self.answer is None or self.answer.done()

    def _is_told(self, known: Kinds) -> bool:
        """Whether those near need not be guessed from."""
        return bool(known) and (self.answer is not None or self.indexed.complete)

    def _answered(self, seconds: float, cancelled: CancelCheck) -> Kinds:
        for _ in range(max(1, round(seconds / LOOK_SECONDS))):
            if self.answer is None or cancelled():
                break
            with suppress(OutOfTime):
                answer = self.answer.result(min(seconds, LOOK_SECONDS))
                return {} if answer is None else {n: answer.kinds.get(n) for n in answer.names}
        return {}


def look_up(
    request: CompletionRequest,
    place: MenuPlace,
    analyst: Analyst | None,
    roots: Sequence[Path],
    importable: Mapping[str, Importable] | None = None,
    indexed: ListedNames | None = None,
) -> MenuNames:
    """Have the names of a place looked up while something else is done, but for those `indexed`."""
    if analyst is None or indexed is not None or place.kind is PlaceKind.NAME:
        return MenuNames(request, place, None, importable or {}, indexed or NONE_LISTED)
    before = request.before.removesuffix(place.typed)
    root = root_of(request.path, roots)
    question = Question(request.path, root, before, request.after, Wanted.NAMES)
    return MenuNames(request, place, analyst.ask(question))


def listed_at(database: IndexDatabase, request: CompletionRequest, place: MenuPlace) -> ListedNames:
    """What an index knows of the names at a place in Java."""
    before = request.before.removesuffix(place.typed)
    after_dot = place.kind is PlaceKind.ATTRIBUTE
    return listed_names(database, before, request.after, after_dot=after_dot)


def names_to_read(request: CompletionRequest, typed: str) -> Kinds:
    """Those in scope; where they cannot be told, all in the text around."""
    if request.language != PYTHON or len(request.before) + len(request.after) > LARGEST_PARSED:
        return names_near(request, typed)
    above, newline, line = request.before.rpartition("\n")
    written = statement_at(
        above + newline, indent_of(line.encode(errors="replace")), lines_below(request.after)
    )
    tree = Parser(grammars.PYTHON).parse(written.text)
    found = kinds_in_scope(written.text, tree.root_node, written.place)
    if found is None:
        return names_near(request, typed)
    names = {name.decode(errors="ignore"): kind for name, kind in found.items()}
    return {name: kind or BUILT_IN.get(name) for name, kind in names.items()}


def names_near(request: CompletionRequest, typed: str) -> Kinds:
    """All in the text around, with what those are that are declared there."""
    around = nearby(request)
    text = f"{around.before.removesuffix(typed)} {around.after}"
    outline = outline_of(request.path, text.encode(errors="replace"))
    kinds: Kinds = {}
    if outline is not None:
        modules = {one.local: Kind.MODULE for one in outline.imports if one.name is None}
        kinds = modules | {one.name: one.kind for one in reversed(outline.declarations[1:])}
    every = BUILT_IN if request.language == PYTHON else {}
    return {
        **every,
        **{name: kinds.get(name, every.get(name)) for name in IDENTIFIER.findall(text)},
    }


def attributes_near(request: CompletionRequest, typed: str) -> frozenset[str]:
    """The names that stand after a dot in the text around, where nothing else is known."""
    around = nearby(request)
    before = around.before.removesuffix(typed)
    return frozenset(AFTER_DOT.findall(f"{before} {around.after}"))
