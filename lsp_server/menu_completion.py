"""The menu of completions: the names that may stand at the cursor, the likeliest first.

It comes from the same model, cache and analysis as inline suggestions. While no model is loaded the
names are there in the order of their spelling; what a name is, is looked up once it is chosen.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp
from pathlib import Path
from typing import Any

from lsprotocol import types

from completion.menu.imports import line_for_imports
from completion.menu.names import MenuNames, look_up
from completion.menu.places import MenuPlace, PlaceKind, menu_place
from completion.menu.ranking import RankedName, unranked, with_kinds
from completion.monitors.monitors import root_of
from completion.values import PYTHON, CompletionRequest
from lsp_server.documents import Place
from lsp_server.inference_thread import InferenceThread
from lsp_server.latest_requests import LatestRequests
from lsp_server.positions import LINE_END
from lsp_server.workspace_code import WorkspaceCode
from retrieval.analyst.questions import About, Analyst, Question, Wanted
from retrieval.index.declarations import Kind
from retrieval.related.importable import Importable
from retrieval.related.java_names import ListedNames

OPTIONS = types.CompletionOptions(trigger_characters=["."], resolve_provider=True)
NOTHING = types.CompletionList(is_incomplete=False, items=[])
CALLED_OFF = types.CompletionList(is_incomplete=True, items=[])
MOST_ITEMS = 1_000
STARRED = 0.1  # probability, from which on a name is marked
MOST_STARRED = 3
TYPED_FOR_IMPORTS = 2  # characters, from which on names are offered that are to be imported
JAVA = "java"  # as editors call it
NAME_BEGUN = re.compile(r"\A\w*")
STAR = "\N{BLACK STAR} "
PATIENCE = 1.0  # seconds for names, without which there is no menu
KINDS = {
    Kind.MODULE: types.CompletionItemKind.Module,
    Kind.CLASS: types.CompletionItemKind.Class,
    Kind.FUNCTION: types.CompletionItemKind.Function,
    Kind.METHOD: types.CompletionItemKind.Method,
    Kind.VARIABLE: types.CompletionItemKind.Variable,
    Kind.PROPERTY: types.CompletionItemKind.Property,
    Kind.KEYWORD: types.CompletionItemKind.Keyword,
}


Ranking = tuple[list[RankedName], MenuNames]


@dataclass(frozen=True, slots=True)
class Around:
    """Who knows what there is in the workspace, below its `roots`."""

    analyst: Analyst
    roots: Sequence[Path]
    code: WorkspaceCode


@dataclass(slots=True)
class Menu:
    """Answers the requests of one session; of one document, the latest only."""

    inference: InferenceThread
    _latest: LatestRequests = field(default_factory=LatestRequests)

    async def complete(
        self, place: Place, request: CompletionRequest, around: Around
    ) -> types.CompletionList:
        """The items at a place; none in strings and comments, or once it is called off."""
        self.call_off(place.uri)
        here = menu_place(request)
        if here is None:
            return NOTHING
        work = self._rank(request, here, around)
        found = await self._latest.run(types.TEXT_DOCUMENT_COMPLETION, place.uri, work)
        if found is None:
            return CALLED_OFF
        ranked, names = found
        items = items_of(ranked[:MOST_ITEMS], place, here.typed)
        above = types.Position(line_for_imports(LINE_END.sub("\n", place.before + place.after)), 0)
        for item in items:
            if (missing := names.importable.get(str(item.filter_text))) is not None:
                add_import(item, missing.module, above, place.line_end)
        is_incomplete = len(ranked) > len(items) or not names.are_all
        return types.CompletionList(is_incomplete, items)

    def call_off(self, uri: str) -> None:
        """End the work for a document whose text has changed."""
        self._latest.call_off(uri)

    async def _rank(self, request: CompletionRequest, here: MenuPlace, around: Around) -> Ranking:
        """The names in order, and what is known of them."""
        importable: Mapping[str, Importable] = {}
        if request.language == PYTHON and wants_imports(here):
            importable = await asyncio.to_thread(around.code.importable, request, here.typed)
        indexed: ListedNames | None = None
        if request.language == JAVA:
            indexed = await asyncio.to_thread(around.code.listed, request, here)
        names = look_up(request, here, around.analyst, around.roots, importable, indexed)
        return await self._order(request, names), names

    async def _order(self, request: CompletionRequest, names: MenuNames) -> list[RankedName]:
        if self.inference.ready:
            return await self.inference.rank_names(request, names, PATIENCE)
        found = await asyncio.to_thread(names.wait, PATIENCE)
        return with_kinds(unranked(found), found)


def items_of(ranked: Sequence[RankedName], place: Place, typed: str) -> list[types.CompletionItem]:
    start = place.back(typed)
    data = {"uri": place.uri, "line": start.line, "character": start.character}
    items: list[types.CompletionItem] = []
    for number, one in enumerate(ranked):
        is_starred = number < MOST_STARRED and exp(one.log_probability) >= STARRED
        items.append(
            types.CompletionItem(
                label=(STAR if is_starred else "") + one.name,
                kind=None if one.kind is None else KINDS[one.kind],
                sort_text=f"{number:04}",
                filter_text=one.name,
                text_edit=types.TextEdit(types.Range(start, place.position), one.name),
                preselect=number == 0 and is_starred,
                data=data,
            )
        )
    return items


def wants_imports(place: MenuPlace) -> bool:
    return place.kind is PlaceKind.NAME and len(place.typed) >= TYPED_FOR_IMPORTS


def add_import(item: types.CompletionItem, module: str, above: types.Position, end: str) -> None:
    """Have the item bring its import with it, on a line of its own that ends so."""
    text = f"from {module} import {item.filter_text}{end}"
    item.additional_text_edits = [types.TextEdit(types.Range(above, above), text)]
    item.label_details = types.CompletionItemLabelDetails(description=module)


async def resolve(
    item: types.CompletionItem,
    request_at: Callable[[str, types.Position], CompletionRequest | None],
    analyst: Analyst,
    roots: Sequence[Path],
) -> types.CompletionItem:
    """The same item with how the name is declared and what is written of it, as far as known."""
    data: dict[str, Any] = item.data if isinstance(item.data, dict) else {}
    try:
        here = types.Position(data["line"], data["character"])
        request = request_at(data["uri"], here)
    except (KeyError, TypeError, ValueError):
        return item
    if request is None or request.language != PYTHON or not item.filter_text:
        return item  # of other languages nothing is known that could be shown
    before, after = request.before + item.filter_text, NAME_BEGUN.sub("", request.after)
    root = root_of(request.path, roots)
    question = Question(request.path, root, before, after, Wanted.ABOUT)
    answer = await asyncio.to_thread(analyst.ask(question).result)
    if answer is not None and answer.about is not None:
        describe(item, answer.about)
    return item


def describe(item: types.CompletionItem, about: About) -> None:
    item.detail = about.signature or None
    if about.doc:
        item.documentation = types.MarkupContent(types.MarkupKind.PlainText, about.doc)
