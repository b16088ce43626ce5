"""Symbols, folds, selections, marks of mistakes and offered imports in the running server."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from lsprotocol import types

from lsp_server.cli import main
from tests.protocol.navigating import LIGHT, opened
from tests.protocol.sessions import Session, session
from tests.unit.workspaces import write_files

KINDS = types.SymbolKind
FILES = {
    "pkg/__init__.py": "",
    "pkg/mail.py": "class Postbox:\n    def drop_letter(self): ...\n",
    "pkg/near/__init__.py": "",
    "pkg/near/mail.py": "\n@final\nclass Postbox: ...\n",
    "shop.ts": "export class Postbox { size = 1; }\n",
    "hidden.py": "class PostboxHidden: ...\n",
}
BROKEN = "def f(:\n    return 1\n"


@pytest.fixture(scope="module")
async def editor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Session]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIROUETTE_HOME", str(tmp_path_factory.mktemp("home")))
        root = write_files(tmp_path_factory.mktemp("shop"), FILES)
        assert main(["index", "--no-vectors", str(root)]) == 0
        (root / ".gitignore").write_text("hidden.py\n")  # since the index was made
        async with session(root, options=LIGHT, wait=False) as started:
            yield started


def flat(symbols: Sequence[types.DocumentSymbol]) -> list[Any]:
    return [(one.name, one.kind, flat(one.children or [])) for one in symbols]


async def test_symbols_are_within_each_other(editor: Session) -> None:
    text = "'\U0001f389'; é = 1\nclass Box:\n    size = 1\n    def open(self):\n        x = 1\n"
    uri = editor.open("symbols.py", text)
    params = types.DocumentSymbolParams(types.TextDocumentIdentifier(uri))
    found: Any = await editor.client.text_document_document_symbol_async(params)
    members: list[Any] = [("size", KINDS.Variable, []), ("open", KINDS.Method, [])]
    assert flat(found) == [("é", KINDS.Variable, []), ("Box", KINDS.Class, members)]
    assert found[0].selection_range == types.Range(types.Position(0, 6), types.Position(0, 7))
    assert found[1].range == types.Range(types.Position(1, 0), types.Position(4, 13))


async def test_symbols_of_other_languages(editor: Session) -> None:
    uri = editor.open("a.go", "package a\n\ntype Box struct {\n\tSize int\n}\n", "go")
    params = types.DocumentSymbolParams(types.TextDocumentIdentifier(uri))
    found: Any = await editor.client.text_document_document_symbol_async(params)
    assert flat(found) == [("Box", KINDS.Class, [("Size", KINDS.Variable, [])])]


async def test_symbols_of_the_workspace_are_those_of_the_index(editor: Session) -> None:
    editor.open("pkg/mail.py", "\n\n" + FILES["pkg/mail.py"])  # they may have moved meanwhile
    found: Any = await editor.client.workspace_symbol_async(types.WorkspaceSymbolParams("postb"))
    root = editor.root.as_uri()
    told = {
        (one.location.uri.removeprefix(root), one.location.range.start.line, one.name, one.kind)
        for one in found
    }
    assert told == {
        ("/pkg/mail.py", 2, "Postbox", KINDS.Class),
        ("/pkg/near/mail.py", 2, "Postbox", KINDS.Class),
        ("/shop.ts", 0, "Postbox", KINDS.Class),
    }
    none: Any = await editor.client.workspace_symbol_async(
        types.WorkspaceSymbolParams("no\U0001f389")
    )
    assert none == []


async def test_blocks_imports_and_comments_fold(editor: Session) -> None:
    text = (
        "import a\nimport b\n\n# one\n# two\n"
        "def f(\n    x,\n):\n    if x:\n        return [\n            1,\n        ]\n"
    )
    uri = editor.open("folds.py", text)
    params = types.FoldingRangeParams(types.TextDocumentIdentifier(uri))
    found: Any = await editor.client.text_document_folding_range_async(params)
    assert [(one.start_line, one.end_line, one.kind) for one in found] == [
        (0, 1, "imports"),
        (3, 4, "comment"),
        (5, 6, "region"),
        (7, 11, "region"),
        (8, 11, "region"),
        (9, 10, "region"),
    ]


async def test_a_selection_grows(editor: Session) -> None:
    uri = editor.open("grow.py", "x = '\U0001f389', call(first, 2)\n")
    params = types.SelectionRangeParams(
        types.TextDocumentIdentifier(uri), [types.Position(0, 16), types.Position(99, 99)]
    )
    found: Any = await editor.client.text_document_selection_range_async(params)
    first, last = found
    columns = []
    while first is not None:
        columns.append((first.range.start.character, first.range.end.character))
        first = first.parent
    assert columns[:3] == [(15, 20), (14, 24), (10, 24)]
    assert last.range.end == types.Position(1, 0)


def marks(editor: Session, uri: str) -> list[tuple[str, types.Range]]:
    return [(one.message, one.range) for one in editor.client.diagnostics.get(uri, ())]


async def test_a_mistake_is_marked_until_it_is_mended(editor: Session) -> None:
    uri = editor.open("broken.py", BROKEN)
    await editor.until(lambda: bool(marks(editor, uri)))
    assert marks(editor, uri) == [
        ("invalid syntax", types.Range(types.Position(0, 6), types.Position(0, 7)))
    ]
    editor.insert(uri, 0, 6, ")")
    await editor.until(lambda: not marks(editor, uri))
    editor.change(uri, BROKEN[:6] + ")" + BROKEN[6:], "x = '\U0001f389', (\n")
    await editor.until(lambda: bool(marks(editor, uri)))
    ((message, where),) = marks(editor, uri)
    assert message == "'(' was never closed"
    assert where == types.Range(types.Position(0, 10), types.Position(0, 11))
    editor.client.text_document_did_close(
        types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri))
    )
    await editor.until(lambda: not marks(editor, uri))


async def actions(editor: Session, at: types.TextDocumentPositionParams) -> list[types.CodeAction]:
    params = types.CodeActionParams(
        at.text_document, types.Range(at.position, at.position), types.CodeActionContext([])
    )
    found: Any = await editor.client.text_document_code_action_async(params)
    return found or []


async def test_the_import_of_a_name_is_offered_the_nearest_first(editor: Session) -> None:
    at = opened(editor, "pkg/main.py", '"""Mine."""\r\nimport os\r\n\r\nPost▮box()\r\n')
    first, second = await actions(editor, at)
    assert first.title == "import Postbox from pkg.mail"
    assert second.title == "import Postbox from pkg.near.mail"
    assert first.kind == types.CodeActionKind.QuickFix
    assert first.edit is not None
    above = types.Range(types.Position(2, 0), types.Position(2, 0))
    assert first.edit.changes == {
        at.text_document.uri: (types.TextEdit(above, "from pkg.mail import Postbox\r\n"),)
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("k1.py", "Postbox = 1\nPost▮box\n"),
        ("k2.py", "import os\nos.Post▮box\n"),
        ("k3.py", "Postboxe▮s\n"),
        ("k4.py", "pri▮nt\n"),
        ("k5.py", "'Post▮box'\n"),
        ("k6.ts", "Post▮box\n"),
    ],
)
async def test_no_import_is_offered_of_what_needs_none(
    editor: Session, name: str, text: str
) -> None:
    assert await actions(editor, opened(editor, name, text)) == []
