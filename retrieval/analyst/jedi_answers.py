"""Answers one question with jedi, in the worker process.

The place is filled with a stand-in name, so that jedi reads whole code and sees what stands behind
the cursor. `closed_values` and `certainty` say whether the answer is complete. This module reads
files only through jedi, inside the fence that `fence` puts up, and never runs what it reads.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jedi
from jedi.api.environment import InterpreterEnvironment
from jedi.api.helpers import recursion_limit
from jedi.inference.helpers import infer_call_of_leaf
from jedi.inference.imports import Importer
from parso.cache import parser_cache

from retrieval.analyst.calls import call
from retrieval.analyst.certainty import Certainty, value_set
from retrieval.analyst.closed_values import (
    is_closed,
    is_none,
    module_is_closed,
)
from retrieval.analyst.listing import KINDS_IN_MODULES, Listing, kinds_of
from retrieval.analyst.places import (
    ImportPlace,
    import_place,
    is_narrowed,
    names_used_of,
    with_line_feeds,
)
from retrieval.analyst.questions import STAND_IN, About, Answer, Question, Wanted
from retrieval.index.declarations import Kinds

LISTING = Listing()
UNKNOWN = Answer(frozenset(), complete=False)


class Place:
    """One question's place in jedi's tree of the text."""

    def __init__(self, question: Question, search_path: Sequence[str]) -> None:
        self.question = question
        before, after = with_line_feeds(question.before), with_line_feeds(question.after)
        code = before + STAND_IN * (question.wanted is not Wanted.ABOUT) + after
        project = jedi.Project(
            question.root,
            sys_path=folders_for(question.path, question.root, search_path),
            smart_sys_path=False,  # it would read more of the workspace than its modules
            load_unsafe_extensions=False,
        )
        self.script = jedi.Script(
            code, path=question.path, project=project, environment=InterpreterEnvironment()
        )
        self.state = self.script._inference_state
        self.line = before.count("\n") + 1
        self.column = len(before) - (before.rfind("\n") + 1)
        self.module = self.script._get_module_context()
        self.leaf = self.module.tree_node.get_leaf_for_position(
            (self.line, self.column + 1), include_prefixes=True
        )

    @property
    def is_a_name(self) -> bool:
        """Whether an identifier stands here at all: not in a string or a comment."""
        return (
            self.leaf is not None
            and self.leaf.type == "name"
            and self.leaf.value.startswith(STAND_IN)
        )


def answer(question: Question, search_path: Sequence[str]) -> Answer | None:
    """What may stand at the place of the question; None where no identifier starts there."""
    try:
        found: Answer | None = answer_from_tree(question, search_path)
        return found
    finally:
        date_back(Path(question.path))


def date_back(path: Path) -> None:
    """Have parso take its tree of this file for outdated.

    It would give it to whoever imports the file, with the stand-in, and cut off where the question
    was; as it is, the tree only serves to parse the next text of the file faster.
    """
    for files in parser_cache.values():
        if (item := files.get(path)) is not None:
            item.change_time = 0.0


@recursion_limit  # type: ignore[untyped-decorator]
def answer_from_tree(question: Question, search_path: Sequence[str]) -> Answer | None:
    if question.wanted is Wanted.ABOUT:
        return about(Place(question, search_path))
    if question.wanted is Wanted.NAMES and (place := import_place(question.before)):
        return imported_names(Place(question, search_path), place)
    place_ = Place(question, search_path)
    if question.wanted is Wanted.CALL:
        signatures = place_.script.get_signatures(place_.line, place_.column)
        return call(
            signatures, is_certain=bool(signatures) and callee_is_certain(place_, signatures)
        )
    if not place_.is_a_name:
        return None
    previous = place_.leaf.get_previous_leaf()
    if previous is not None and previous == "." and previous.type == "operator":
        return attributes(place_, previous)
    return None


def about(place: Place) -> Answer | None:
    """What the name is that ends at a place; the first thing that it may be."""
    for found in place.script.infer(place.line, place.column):
        signatures = [one.to_string() for one in found.get_signatures()]
        signature = "\n".join(signatures) or str(found.description)
        doc = str(found.docstring(raw=True))
        return Answer(frozenset(), complete=False, about=About(signature, doc))
    return None


def callee_is_certain(place: Place, signatures: Sequence[Any]) -> bool:
    """Whether what stands before the bracket of a call can be nothing else."""
    callee = place.module.tree_node.get_leaf_for_position(signatures[0].bracket_start)
    if callee is not None and callee == "(":
        callee = callee.get_previous_leaf()
    if callee is None:
        return False
    context = place.module.create_context(callee)
    definitions = [
        name
        for name in place.module.tree_node.get_used_names().get(getattr(callee, "value", ""), ())
        if name.is_definition(include_setitem=True) or name.parent.type == "global_stmt"
    ]
    return len(definitions) <= 1 and is_certain(context, callee)


def folders_for(file: str, workspace: str, search_path: Sequence[str]) -> list[str]:
    """Where imports are looked up: the file's package, the workspace, then the environment."""
    root = Path(workspace)
    base = Path(file).parent
    while (base / "__init__.py").is_file() and base != base.parent:
        base = base.parent
    own = [base, root, root / "src"] if base.is_relative_to(root) else [root, root / "src", base]
    between = [parent for parent in base.parents if parent.is_relative_to(root)]
    return list(dict.fromkeys([*map(str, own), *search_path, *map(str, between)]))


def attributes(place: Place, dot: Any) -> Answer:
    """The names of everything that the expression before the dot may be."""
    receiver = dot.get_previous_leaf()
    if receiver is None:
        return UNKNOWN
    context = place.module.create_context(receiver)
    found = infer_call_of_leaf(context, receiver)
    values = value_set(value for value in found if not is_none(value))
    if not values:
        return UNKNOWN
    user = place.module.create_context(place.leaf)
    kinds = without_stand_in(LISTING.of_values(place.state, user, place.leaf, values))
    names = frozenset(kinds)
    complete = (
        all(map(is_closed, values))
        and is_certain(context, receiver)
        and not is_contradicted(place, dot, names)
    )
    return Answer.of(kinds, complete=complete)


def without_stand_in(names: Kinds) -> Kinds:
    return {name: kind for name, kind in names.items() if name != STAND_IN}


def is_certain(context: Any, receiver: Any) -> bool:
    """Whether jedi's values for the expression that ends with the leaf `receiver` are all."""
    certainty = Certainty()
    trailer = receiver.parent
    if trailer.type == "fstring":
        return True
    if trailer.type == "trailer" and receiver in (trailer.children[0], trailer.children[-1]):
        power = trailer.parent
        end = power.children.index(trailer) + 1
        start = end - 1
        if power.type == "error_node":
            while start > 0 and power.children[start].type == "trailer":
                start -= 1
        else:
            start = 0
            if power.children[0] == "await":
                start = 1
        base, trailers = power.children[start], power.children[start + 1 : end]
        return certainty.of_chain(context, base, trailers)
    node = trailer if trailer.type == "atom" else receiver
    return certainty.of(context, node)


def start_of_receiver(dot: Any) -> Any:
    """The first leaf of the expression that the dot belongs to."""
    trailer = dot.parent
    if trailer.type == "trailer":
        siblings = trailer.parent.children
        index = siblings.index(trailer) - 1
        while index > 0 and siblings[index].type == "trailer":
            index -= 1
        return siblings[index].get_first_leaf()
    leaf = dot.get_previous_leaf()
    return leaf.parent.get_first_leaf() if leaf.parent.type == "atom" else leaf


def receiver_text(place: Place, dot: Any) -> str:
    first = start_of_receiver(dot)
    lines = place.script._code_lines
    (top, left), (bottom, right) = first.start_pos, dot.start_pos
    if top != bottom:
        return ""
    return str(lines[top - 1][left:right]).strip()


def is_contradicted(place: Place, dot: Any, names: frozenset[str]) -> bool:
    """Whether the file itself uses a name of the same thing that is not among those listed."""
    receiver = receiver_text(place, dot)
    if not receiver.replace(".", "").replace("_", "a").isalnum():
        return False
    text = scope_text(place, receiver)
    used = names_used_of(receiver, text)
    return not {n for n in used if not n.startswith(STAND_IN)} <= names or is_narrowed(
        receiver, text
    )


def scope_text(place: Place, receiver: str) -> str:
    """The code in which this spelling means the same: a class for `self`, else a function."""
    kinds = ("classdef",) if receiver.split(".")[0] in ("self", "cls") else ("funcdef",)
    scope = outermost = place.leaf.search_ancestor(*kinds)
    while scope is not None and kinds == ("funcdef",):
        outermost, scope = scope, scope.search_ancestor(*kinds)
    scope = outermost or place.module.tree_node
    return str(scope.get_code())


def imported_names(place: Place, wanted: ImportPlace) -> Answer:
    """Modules, or the names of one; the list of top-level modules never counts as complete."""
    importer = Importer(place.state, wanted.module, place.module, wanted.level)
    found = importer.completion_names(place.state, only_modules=not wanted.members)
    kinds = kinds_of(found, KINDS_IN_MODULES)
    kinds.pop("*", None)
    modules = importer.follow() if wanted.module or wanted.level else ()
    complete = bool(modules) and all(
        module.is_module() and module_is_closed(module) for module in modules
    )
    return Answer.of(without_stand_in(kinds), complete=complete)


# What jedi does of its own accord that costs time or trust: importing, guessing from calls,
# keeping signatures for seconds.
SETTINGS: dict[str, Any] = {
    "auto_import_modules": [],
    "dynamic_params": False,
    "dynamic_params_for_other_modules": False,
    "dynamic_array_additions": False,
    "call_signatures_validity": 0.0,
}


def isolate() -> None:
    for name, value in SETTINGS.items():
        setattr(jedi.settings, name, value)
