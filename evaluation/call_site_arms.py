"""Who names what is called at a call site, each with the names it would list, best first."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import perf_counter

from completion.menu.names import MenuNames, listed_at, look_up
from completion.menu.places import menu_place
from completion.menu.ranking import unranked
from completion.pipeline import Completer
from completion.values import CancelCheck, CompletionRequest, never_cancelled
from evaluation.api_questions import LINES_BEFORE
from evaluation.call_sites import CallSite
from evaluation.metrics.identifiers import identifiers
from evaluation.source_folder import changed_for_now
from retrieval.analyst.questions import Analyst
from retrieval.index.declarations import Kinds
from retrieval.index.search import ApiSearch
from retrieval.related.related_code import RepositoryCode

PATIENCE = 10.0  # seconds for a question: what is counted must not depend on the machine
DEEP = 100  # APIs of the lexical order


@dataclass(frozen=True, slots=True)
class Named:
    """Names in the order of one arm, and how long an editor would wait for them with a warm cache
    (milliseconds), where that was timed."""

    arm: str
    names: list[str]
    ms: float | None = None


@dataclass(frozen=True, slots=True)
class AmongApis(MenuNames):
    """Those names that are APIs."""

    apis: frozenset[str] = frozenset()

    def wait(self, seconds: float, cancelled: CancelCheck = never_cancelled) -> Kinds:
        found = MenuNames.wait(self, seconds, cancelled)
        return {name: kind for name, kind in found.items() if name in self.apis}


def name_everywhere(
    completer: Completer, analyst: Analyst | None, site: CallSite, code: RepositoryCode
) -> Iterator[Named]:
    """Every arm at one site, whose rest is held out of its file meanwhile.

    `model` writes on and lists the first name of that; `jedi` lists what static analysis knows, or
    what is in scope, in the order of spelling; `lexical` lists the repository's APIs by the words
    before the cursor; `menu` lists the same names as `jedi` in the model's order, and `lance` those
    of them that are APIs of the repository, since one of these is called here. Both once more when
    code of other files has been read. In Java, without an `analyst`, the menu is what the index
    knows, and there is no `jedi`.
    """
    file = code.root / site.path
    request = replace(site.request, path=str(file), single_line=True)
    with changed_for_now(file, site.before + site.after):
        own = completer.with_parts()
        yield Named("model", identifiers(own.complete(request).text)[:1])
        names = looked_up(request, analyst, code)
        own_apis = code.database.names.api_names()
        apis = AmongApis(request, names.place, names.answer, indexed=names.indexed, apis=own_apis)
        if analyst is not None:
            known = names.wait(PATIENCE)
            yield Named("jedi", [one.name for one in unranked(known)])
        wish = " ".join(site.before.splitlines()[-LINES_BEFORE:])
        search = ApiSearch(code.database, code.root, None)
        places = code.database.places(search.lexical(wish, DEEP))
        listed = dict.fromkeys(place.declaration.name for place in places)
        yield Named("lexical", list(listed))
        for end in ("", "_related"):
            for arm, found in (("menu", names), ("lance", apis)):
                yield ranked(arm + end, own, request, found)
            own.read_related(request)
    completer.close(request.document)


def looked_up(
    request: CompletionRequest, analyst: Analyst | None, code: RepositoryCode
) -> MenuNames:
    place = menu_place(request)
    assert place is not None, "a call site is a place for a name"
    indexed = listed_at(code.database, request, place) if analyst is None else None
    return look_up(request, place, analyst, (code.root,), indexed=indexed)


def ranked(arm: str, completer: Completer, request: CompletionRequest, names: MenuNames) -> Named:
    """As the editor's menu has them, timed from when they are looked up."""
    started = perf_counter()
    found = completer.rank_names(request, names, never_cancelled, PATIENCE)
    return Named(arm, [one.name for one in found], 1e3 * (perf_counter() - started))
