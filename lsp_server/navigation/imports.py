"""Offers to import a name that nothing declares from the modules of the repository that have it."""

import asyncio
import builtins
from keyword import iskeyword

from lsprotocol import types

from completion.menu.imports import line_for_imports
from lsp_server.navigation.names import Names
from lsp_server.positions import LINE_END
from retrieval.navigation.questions import Asked

QUICK_FIX = types.CodeActionKind.QuickFix


async def code_action(names: Names, params: types.CodeActionParams) -> list[types.CodeAction]:
    """One for each module, the nearest first."""
    only = params.context.only
    if only is not None and not any(QUICK_FIX.value.startswith(str_of(kind)) for kind in only):
        return []
    uri = params.text_document.uri
    at = types.TextDocumentPositionParams(params.text_document, params.range.start)
    place, document = names.place(at), names.view().document(uri)
    if place is None or document is None or not place.name or is_known(place.name, place.before):
        return []
    version, text = document.version, document.buffer.text
    found = await names.ask_at(Asked.MEANT, place)
    if found is None or not found.spans or found.hidden or any(one.binds for one in found.spans):
        return []  # no name at all, or a known one
    modules = await asyncio.to_thread(names.view().code.modules_with, place.path, place.name)
    if not modules or document.version != version:
        return []
    end = LINE_END.search(text)
    above = types.Position(line_for_imports(LINE_END.sub("\n", text)), 0)
    lines = [(one, f"from {one.module} import {one.name}") for one in modules]
    return [
        types.CodeAction(
            f"import {one.name} from {one.module}",
            kind=QUICK_FIX,
            is_preferred=len(lines) == 1,
            edit=types.WorkspaceEdit(
                changes={
                    uri: [
                        types.TextEdit(types.Range(above, above), line + (end[0] if end else "\n"))
                    ]
                }
            ),
        )
        for one, line in lines
    ]


def str_of(kind: types.CodeActionKind | str) -> str:
    return kind.value if isinstance(kind, types.CodeActionKind) else kind


def is_known(name: str, before: str) -> bool:
    """Whether the name needs no import whatever the file says: an attribute, or one of Python's."""
    return before.rstrip().endswith(".") or iskeyword(name) or hasattr(builtins, name)
