"""The menu in the running server: in order, marked, replaced in place, and explained."""

from pathlib import Path

import pytest
from lsprotocol import types

from lsp_server.cli import main
from lsp_server.menu_completion import STAR
from lsp_server.positions import column_of_index
from models.store import default_home
from tests.protocol.sessions import Session, session
from tests.unit.workspaces import write_files

TEXT = '''\
import json


class Box:
    """Holds things."""

    def open_lid(self, wide: bool = True) -> None:
        """Open it."""


def read(path):
    with open(path) as file:
        return json.lo
'''
LAST, END = 12, 22


async def menu(editor: Session, uri: str, line: int, character: int) -> list[types.CompletionItem]:
    found = await editor.client.text_document_completion_async(
        types.CompletionParams(types.TextDocumentIdentifier(uri), types.Position(line, character))
    )
    assert isinstance(found, types.CompletionList)
    return list(found.items)


@pytest.mark.model
async def test_names_come_in_the_order_of_their_probability(tmp_path: Path) -> None:
    async with session(tmp_path) as editor:
        uri = editor.open("boxes.py", TEXT)
        items = await menu(editor, uri, LAST, END)
        assert [item.filter_text for item in items] == ["load", "loads"]
        assert items == sorted(items, key=lambda item: str(item.sort_text))
        best = items[0]
        assert (best.label, best.preselect) == (f"{STAR}load", True)
        assert {item.kind for item in items} == {types.CompletionItemKind.Function}
        assert best.text_edit == types.TextEdit(
            types.Range(types.Position(LAST, END - 2), types.Position(LAST, END)), "load"
        )
        resolved = await editor.client.completion_item_resolve_async(best)
        assert "fp" in str(resolved.detail)
        assert isinstance(resolved.documentation, types.MarkupContent)
        assert "Deserialize" in resolved.documentation.value

        editor.insert(uri, LAST, END, "a")  # the editor filters by itself
        again = await editor.client.completion_item_resolve_async(items[0])
        assert "fp" in str(again.detail)

        assert await menu(editor, uri, 4, 12) == []  # in a string
        assert await menu(editor, uri.replace("boxes", "closed"), 0, 0) == []


async def test_there_is_a_menu_without_a_model(tmp_path: Path) -> None:
    async with session(tmp_path, options={"model": "/nowhere"}, wait=False) as editor:
        offered = editor.initialized.capabilities.completion_provider
        assert offered is not None
        assert offered.resolve_provider
        assert list(offered.trigger_characters or ()) == ["."]
        uri = editor.open("boxes.py", TEXT)
        for _ in range(20):  # analysis is still being started
            if items := await menu(editor, uri, LAST, END):
                break
        assert [item.label for item in items] == ["load", "loads"]


async def test_items_say_what_they_are(tmp_path: Path) -> None:
    kinds = types.CompletionItemKind
    text = "import json\nlimit = 1\nclass Box:\n    size = 1\n    def open(self): ...\nBox()."
    files = {"boxes.ts": "export class Box { size = 1; open() {} }\nconst box = new Box(); box."}
    write_files(tmp_path, files)
    async with session(tmp_path, options={"model": "/nowhere"}, wait=False) as editor:
        here, there = editor.open("boxes.py", text), editor.open("boxes.ts", files["boxes.ts"])
        names = {item.filter_text: item.kind for item in await menu(editor, here, 1, 0)}
        assert (names["json"], names["limit"]) == (kinds.Module, kinds.Variable)
        assert (names["Box"], names["True"]) == (kinds.Class, kinds.Keyword)
        for uri, line, character in ((here, 5, 6), (there, 1, 27)):
            for _ in range(20):  # analysis is still being started
                found = {
                    item.filter_text: item.kind for item in await menu(editor, uri, line, character)
                }
                if "size" in found:
                    break
            assert (found["size"], found["open"]) == (kinds.Property, kinds.Method)


async def test_names_in_java_come_from_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIROUETTE_HOME", str(tmp_path / "home"))
    root = write_files(tmp_path / "shop", {"Box.java": "class Box { void seal() {} Box next; }"})
    assert main(["index", "--no-vectors", str(root)]) == 0
    async with session(root, options={"model": "/nowhere"}, wait=False) as editor:
        uri = editor.open("Shop.java", "class Shop { void run(Box box) { box.s } }", "java")
        (item,) = await menu(editor, uri, 0, 38)
        assert (item.filter_text, item.kind) == ("seal", types.CompletionItemKind.Method)
        assert await editor.client.completion_item_resolve_async(item) == item  # as it is


@pytest.mark.parametrize("encoding", list(types.PositionEncodingKind))
@pytest.mark.parametrize("typed", ["grö", "\U0001d4ea\U0001d4eb"])
async def test_what_is_typed_is_replaced_whatever_its_letters(
    encoding: types.PositionEncodingKind, typed: str, tmp_path: Path
) -> None:
    async with session(
        tmp_path, options={"model": "/nowhere"}, encodings=[encoding], wait=False
    ) as editor:
        uri = editor.open("sizes.py", f"{typed}se = 1\nx = {typed}")
        width = column_of_index(typed, len(typed), encoding)
        items = await menu(editor, uri, 1, 4 + width)
        (edit,) = (item.text_edit for item in items if item.filter_text == f"{typed}se")
        assert isinstance(edit, types.TextEdit)
        assert edit.range.start == types.Position(1, 4)


@pytest.mark.model
async def test_whoever_does_not_want_it_has_none(tmp_path: Path) -> None:
    async with session(tmp_path, options={"menu": False}) as editor:
        uri = editor.open("boxes.py", TEXT)
        assert await menu(editor, uri, LAST, END) == []


@pytest.mark.model
async def test_illegal_items_are_given_back(tmp_path: Path) -> None:
    async with session(tmp_path) as editor:
        for data in (None, "x", {"uri": 3}, {"uri": "file:///x.py", "line": -1, "character": 0}):
            item = types.CompletionItem("x", filter_text="x", data=data)
            assert (await editor.client.completion_item_resolve_async(item)).label == "x"


@pytest.mark.model
async def test_a_name_brings_its_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(default_home() / "models")
    monkeypatch.setenv("PIROUETTE_HOME", str(home))
    root = write_files(tmp_path / "shop", {"mail.py": "class Postbox:\n    def drop(self): ...\n"})
    async with session(root, options={"relatedTokens": 64}) as editor:
        await editor.until(lambda: "1 files indexed" in editor.ended())
        uri = editor.open("main.py", "import os\r\n\r\nbox = Postb")
        (item,) = await menu(editor, uri, 2, 11)
        assert item.filter_text == "Postbox"
        above = types.Position(1, 0)
        assert list(item.additional_text_edits or ()) == [
            types.TextEdit(types.Range(above, above), "from mail import Postbox\r\n")
        ]
        assert item.label_details == types.CompletionItemLabelDetails(description="mail")
        assert item.kind == types.CompletionItemKind.Class
