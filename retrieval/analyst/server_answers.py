"""What a language server's replies say about a place that is filled with a made-up name.

What it would complete there are the names that exist; that it finds fault with the made-up one says
that it knows all of them. This module must not know how the replies came.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lsprotocol import types

from retrieval.analyst.questions import STAND_IN, About, Answer, CallShape
from retrieval.index.declarations import Kind

IDENTIFIER = re.compile(r"[^\W\d]\w*")
PARAMETER = re.compile(r"(?P<stars>\*{0,2})(?P<name>[^\W\d]\w*)")
# Words and pieces of text are no names of the program.
NO_NAMES = frozenset(
    {types.CompletionItemKind.Text, types.CompletionItemKind.Keyword}
    | {types.CompletionItemKind.Snippet, types.CompletionItemKind.File}
)
# What servers call things, by our words for them.
KINDS: Mapping[int, Kind] = {
    types.CompletionItemKind.Module: Kind.MODULE,
    types.CompletionItemKind.Class: Kind.CLASS,
    types.CompletionItemKind.Interface: Kind.CLASS,
    types.CompletionItemKind.Enum: Kind.CLASS,
    types.CompletionItemKind.Struct: Kind.CLASS,
    types.CompletionItemKind.Function: Kind.FUNCTION,
    types.CompletionItemKind.Method: Kind.METHOD,
    types.CompletionItemKind.Constructor: Kind.METHOD,
    types.CompletionItemKind.Variable: Kind.VARIABLE,
    types.CompletionItemKind.Constant: Kind.VARIABLE,
    types.CompletionItemKind.Property: Kind.PROPERTY,
    types.CompletionItemKind.Field: Kind.PROPERTY,
    types.CompletionItemKind.EnumMember: Kind.PROPERTY,
}

Completions = types.CompletionList | Sequence[types.CompletionItem] | None


def names_answer(completions: Completions, *, is_faulted: bool) -> Answer:
    """The names that may stand at the place."""
    if not isinstance(completions, types.CompletionList):
        completions = types.CompletionList(is_incomplete=False, items=completions or ())
    names = {name_of(one): KINDS.get(one.kind) if one.kind else None for one in completions.items}
    kinds = {name: kind for name, kind in names.items() if name not in ("", STAND_IN)}
    return Answer.of(kinds, complete=is_faulted and not completions.is_incomplete)


def name_of(item: types.CompletionItem) -> str:
    """The identifier that an item writes; empty for one that would be imported, or is none."""
    if item.kind in NO_NAMES or item.additional_text_edits:
        return ""
    edit = item.text_edit
    written = (edit.new_text if edit is not None else item.insert_text) or item.label
    found = IDENTIFIER.match(written)
    return found[0] if found else ""


def call_answer(help_: types.SignatureHelp | None, *, is_faulted: bool) -> Answer | None:
    """What the call takes that is open at the place, over all signatures; None in no call."""
    if help_ is None or not help_.signatures:
        return None
    keywords: set[str] = set()
    most, any_keyword, any_positional = 0, False, False
    for signature in help_.signatures:
        parameters = [parameter_of(signature, one) for one in signature.parameters or ()]
        named = [name for stars, name in parameters if not stars]
        keywords.update(named)
        most = max(most, len(named))
        any_keyword = any_keyword or any(stars == "**" for stars, _ in parameters)
        any_positional = any_positional or any(stars == "*" for stars, _ in parameters)
    shape = CallShape(frozenset(keywords), most, any_keyword, any_positional)
    return Answer(shape.keywords, complete=is_faulted, call=shape)


def about_answer(hover: types.Hover | None) -> Answer | None:
    """What is said of a name, which begins with how it is declared."""
    if hover is None:
        return None
    contents: Any = hover.contents
    parts = contents if isinstance(contents, list) else [contents]
    said = [one if isinstance(one, str) else str(one.value) for one in parts]
    return Answer(frozenset(), complete=False, about=About("", "\n".join(said).strip()))


def parameter_of(
    signature: types.SignatureInformation, parameter: types.ParameterInformation
) -> tuple[str, str]:
    """The stars of a parameter and its name."""
    label = parameter.label
    text = label if isinstance(label, str) else signature.label[label[0] : label[1]]
    found = PARAMETER.match(text)
    return (found["stars"], found["name"]) if found else ("", "")


def finds_fault(diagnostics: Iterable[types.Diagnostic], place: types.Range) -> bool:
    """Whether something is wrong with the name at a place, and not merely with a value of None."""
    return any(
        one.severity == types.DiagnosticSeverity.Error
        and one.range == place
        and "optional" not in str(one.code).lower()
        for one in diagnostics
    )
