"""What a name is, what a call takes, where a name comes from and where it is used."""

import re

from lsprotocol import types

from lsp_server.navigation.names import MOST_FILES, Names
from retrieval.navigation.questions import Asked, CallSignature

UTF16 = types.PositionEncodingKind.Utf16
AT = types.TextDocumentPositionParams


async def hover(names: Names, params: types.HoverParams) -> types.Hover | None:
    found = await names.ask(Asked.HOVER, AT(params.text_document, params.position))
    if not found.code:
        return None
    doc = f"\n\n---\n\n{plain(found.doc)}" if found.doc else ""
    return types.Hover(
        types.MarkupContent(types.MarkupKind.Markdown, f"```python\n{found.code}\n```{doc}")
    )


def plain(doc: str) -> str:
    """A docstring that is shown as it is written, whatever Markdown would make of it."""
    longest = max((len(run) for run in re.findall("`+", doc)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{doc}\n{fence}"


async def signature_help(
    names: Names, params: types.SignatureHelpParams
) -> types.SignatureHelp | None:
    found = await names.ask(Asked.SIGNATURES, AT(params.text_document, params.position))
    if not found.signatures:
        return None
    told = [signature_information(one) for one in found.signatures]
    fitting = (number for number, one in enumerate(found.signatures) if one.active is not None)
    active = next(fitting, 0)
    return types.SignatureHelp(told, active, found.signatures[active].active)


def signature_information(one: CallSignature) -> types.SignatureInformation:
    parameters = [
        types.ParameterInformation((units(one.label[:start]), units(one.label[:end])))
        for start, end in one.parameters
    ]
    doc = types.MarkupContent(types.MarkupKind.PlainText, one.doc) if one.doc else None
    return types.SignatureInformation(one.label, doc, parameters, one.active)


def units(text: str) -> int:
    """Its length as the protocol counts in labels."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


async def definition(names: Names, params: types.DefinitionParams) -> list[types.Location]:
    found = await names.ask(Asked.DEFINITION, AT(params.text_document, params.position))
    return names.locations(found.spans)


async def declaration(names: Names, params: types.DeclarationParams) -> list[types.Location]:
    found = await names.ask(Asked.DECLARATION, AT(params.text_document, params.position))
    return names.locations(found.spans)


async def type_definition(names: Names, params: types.TypeDefinitionParams) -> list[types.Location]:
    found = await names.ask(Asked.TYPE, AT(params.text_document, params.position))
    return names.locations(found.spans)


async def document_highlight(
    names: Names, params: types.DocumentHighlightParams
) -> list[types.DocumentHighlight]:
    uri, kinds = params.text_document.uri, types.DocumentHighlightKind
    found = await names.ask(Asked.MEANT, AT(params.text_document, params.position))
    return [
        types.DocumentHighlight(where.range, kinds.Write if span.binds else kinds.Read)
        for span in found.spans
        for where in names.locations([span])
        if where.uri == uri
    ]


async def references(names: Names, params: types.ReferenceParams) -> list[types.Location]:
    place = names.place(AT(params.text_document, params.position))
    if place is None or not place.name:
        return []
    files = (await names.files_with(place))[:MOST_FILES]
    found = await names.ask_at(Asked.REFERENCES, place, files)
    with_declaration = params.context.include_declaration
    spans = [] if found is None else found.spans
    return names.locations([span for span in spans if with_declaration or not span.binds])
