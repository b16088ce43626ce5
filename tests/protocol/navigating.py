"""Asks of tests about places in documents, for navigation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from lsprotocol import types

from tests.protocol.sessions import Session

LIGHT: dict[str, Any] = {"model": "/nowhere", "monitors": False, "menu": False, "relatedTokens": 0}
HERE = "▮"


def opened(editor: Session, name: str, text: str) -> types.TextDocumentPositionParams:
    """Open a document, and where in it the mark is, which is taken out."""
    before, after = text.split(HERE)
    uri = editor.open(name, before + after)
    line = before.rpartition("\n")[2]
    units = len(line.encode("utf-16-le")) // 2
    position = types.Position(before.count("\n"), units)
    return types.TextDocumentPositionParams(types.TextDocumentIdentifier(uri), position)


async def asked(editor: Session, method: str, at: Any, **more: Any) -> Any:
    """What the server answers to one of its requests at a place."""
    kind: Any = types.METHOD_TO_TYPES[method][2]
    params = kind(text_document=at.text_document, position=at.position, **more)
    protocol: Any = editor.client.protocol
    return await protocol.send_request_async(method, params)


def places(found: Sequence[types.Location] | None) -> list[tuple[str, int, int, int]]:
    """File names with their lines and first and last columns, in order."""
    return sorted(
        (
            Path(unquote(urlparse(one.uri).path)).name,
            one.range.start.line,
            one.range.start.character,
            one.range.end.character,
        )
        for one in found or ()
    )
