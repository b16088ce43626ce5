"""Cells of notebooks: documents as any other, with the notebook's other cells around them."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types

from tests.protocol.scripted import Scripted, scripted
from tests.protocol.sessions import Session, session

PRICE = "%matplotlib inline\ndef price_of(amount: int) -> int:\n    return amount * 3\n"
CELLS = (
    ("python", PRICE),
    ("markdown", "# Prices\n"),
    ("python", "%%bash\nls -l\n"),
    ("python", "price = price"),
    ("julia", "price = 3"),
    ("python", "files = !ls\nprint(price)"),
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scripted]:
    async with scripted(tmp_path_factory.mktemp("workspace")) as started:
        yield started


class Notebook:
    """One that an editor has open; a cell's URI is as VS Code's."""

    def __init__(self, editor: Session, name: str, cells: Sequence[tuple[str, str]]) -> None:
        self.editor = editor
        self.uri = (editor.root / name).as_uri()
        self.version = 1
        items = [self.item(number, *cell) for number, cell in enumerate(cells)]
        told = types.NotebookDocument(
            self.uri, "jupyter-notebook", 1, [self.told(item) for item in items]
        )
        editor.client.notebook_document_did_open(types.DidOpenNotebookDocumentParams(told, items))

    def cell(self, number: int) -> str:
        return f"{self.uri.replace('file:', 'vscode-notebook-cell:')}#W{number}sZmlsZQ%3D%3D"

    def item(self, number: int, language: str, text: str) -> types.TextDocumentItem:
        self.editor.versions[self.cell(number)] = 1
        return types.TextDocumentItem(self.cell(number), language, 1, text)

    def told(self, item: types.TextDocumentItem) -> types.NotebookCell:
        kinds = types.NotebookCellKind
        kind = kinds.Markup if item.language_id == "markdown" else kinds.Code
        return types.NotebookCell(kind, item.uri)

    def change(self, cells: types.NotebookDocumentCellChanges) -> None:
        self.version += 1
        self.editor.client.notebook_document_did_change(
            types.DidChangeNotebookDocumentParams(
                types.VersionedNotebookDocumentIdentifier(self.version, self.uri),
                types.NotebookDocumentChangeEvent(cells=cells),
            )
        )

    def insert(self, number: int, line: int, column: int, text: str) -> None:
        """Type into a cell."""
        uri = self.cell(number)
        self.editor.versions[uri] += 1
        here = types.Position(line, column)
        change = types.TextDocumentContentChangePartial(types.Range(here, here), text)
        document = types.VersionedTextDocumentIdentifier(self.editor.versions[uri], uri)
        changed = types.NotebookDocumentCellContentChanges(document, [change])
        self.change(types.NotebookDocumentCellChanges(text_content=[changed]))

    def put(self, at: int, gone: Sequence[int], items: Sequence[types.TextDocumentItem]) -> None:
        """Cells in the place of others, which began with the one `at` that place."""
        array = types.NotebookCellArrayChange(at, len(gone), [self.told(item) for item in items])
        closed = [types.TextDocumentIdentifier(self.cell(number)) for number in gone]
        structure = types.NotebookDocumentCellChangeStructure(array, items, closed)
        self.change(types.NotebookDocumentCellChanges(structure=structure))

    def close(self) -> None:
        self.editor.client.notebook_document_did_close(
            types.DidCloseNotebookDocumentParams(types.NotebookDocumentIdentifier(self.uri), [])
        )


def test_notebooks_of_every_type_and_language_are_asked_for(server: Scripted) -> None:
    sync = server.editor.initialized.capabilities.notebook_document_sync
    assert isinstance(sync, types.NotebookDocumentSyncOptions)
    [selector] = sync.notebook_selector
    assert isinstance(selector, types.NotebookDocumentFilterWithNotebook)
    assert (selector.notebook, selector.cells) == ("*", None)


async def test_the_code_of_the_other_cells_is_around_a_cell(server: Scripted) -> None:
    """In order, of the same language, with comments for what only a notebook understands."""
    notebook = Notebook(server.editor, "around.ipynb", CELLS)
    assert await server.editor.suggestions(notebook.cell(3), 0, 13) == ["(one, two)"]
    above = PRICE.replace("%matplotlib", "# %matplotlib")
    below = "\n\n# files = !ls\nprint(price)"
    assert server.asked[-1] == (f"{above}\n\nprice = price", below)

    notebook.insert(3, 0, 13, "_of")
    notebook.insert(0, 0, 0, "%time\n")
    assert await server.editor.suggestions(notebook.cell(3), 0, 16) == ["(one, two)"]
    assert server.asked[-1] == (f"# %time\n{above}\n\nprice = price_of", below)

    assert await server.editor.suggestions(notebook.cell(4), 0, 9) == ["(one, two)"]
    assert server.asked[-1] == ("price = 3", "")
    assert await server.editor.suggestions(notebook.cell(2), 1, 5) == ["(one, two)"]
    assert server.asked[-1] == ("%%bash\nls -l", "\n")


async def test_the_line_of_the_cursor_stays_as_it_is(server: Scripted) -> None:
    notebook = Notebook(server.editor, "magic.ipynb", [("python", "%ti\n!ls\nif 1:\n    ?x\n")])
    assert await server.editor.suggestions(notebook.cell(0), 0, 3) == ["(one, two)"]
    assert server.asked[-1] == ("%ti", "\n# !ls\nif 1:\n    pass  # ?x\n")


async def test_cells_come_and_go(server: Scripted) -> None:
    notebook = Notebook(server.editor, "moved.ipynb", [("python", "a"), ("python", "b")])
    notebook.put(1, [1], [notebook.item(2, "python", "c"), notebook.item(3, "python", "d")])
    await server.editor.suggestions(notebook.cell(3), 0, 1)
    assert server.asked[-1] == ("a\n\nc\n\nd", "")
    assert await server.editor.suggestions(notebook.cell(1), 0, 1) == []

    marked = types.NotebookCell(types.NotebookCellKind.Markup, notebook.cell(2))
    notebook.change(types.NotebookDocumentCellChanges(data=[marked]))
    notebook.insert(3, 0, 1, "!")
    await server.editor.suggestions(notebook.cell(3), 0, 2)
    assert server.asked[-1] == ("a\n\nd!", "")

    notebook.close()
    assert await server.editor.suggestions(notebook.cell(3), 0, 2) == []


async def test_the_file_of_the_notebook_decides_what_may_be_read(server: Scripted) -> None:
    asked = len(server.asked)
    notebook = Notebook(server.editor, "secrets.ipynb", CELLS)
    assert await server.editor.suggestions(notebook.cell(3), 0, 13) == []
    assert len(server.asked) == asked


async def test_a_mistake_is_marked_and_magic_is_none(server: Scripted) -> None:
    editor = server.editor
    notebook = Notebook(editor, "marks.ipynb", [*CELLS, ("python", "def broken(:\n    pass\n")])
    await editor.until(lambda: bool(editor.client.diagnostics.get(notebook.cell(6))))
    assert not any(editor.client.diagnostics.get(notebook.cell(number)) for number in range(6))


async def test_a_name_of_another_cell_is_told(server: Scripted) -> None:
    notebook = Notebook(server.editor, "hover.ipynb", [*CELLS, ("python", "!ls\nprice_of(2)")])
    told = await server.editor.client.text_document_hover_async(
        types.HoverParams(types.TextDocumentIdentifier(notebook.cell(6)), types.Position(1, 3))
    )
    assert told is not None
    assert isinstance(told.contents, types.MarkupContent)
    assert "price_of(amount: int) -> int" in told.contents.value


@pytest.mark.model
async def test_cells_share_a_cache(tmp_path: Path) -> None:
    """Going on to another cell reads what has come to stand before the cursor, and no more."""
    functions = [
        ("python", f"def area_{n}(width, height):\n    return width * height + {n}\n")
        for n in range(24)
    ]
    options = {"maxTokens": 8, "contextTokens": 1024}
    async with session(tmp_path, options=options) as editor:
        notebook = Notebook(editor, "shared.ipynb", [*functions, ("python", "print(ar")])
        await editor.ask(notebook.cell(24), 0, 8)
        first = (await editor.completed.get())["tokens"]
        assert first["encoded"] == first["prompt"] > 400
        await editor.ask(notebook.cell(23), 1, 11)
        jumped = (await editor.completed.get())["tokens"]
        notebook.insert(23, 1, 11, "abs(")
        await editor.ask(notebook.cell(23), 1, 15)
        typed = (await editor.completed.get())["tokens"]
    assert jumped["encoded"] < first["encoded"] / 3
    assert typed["encoded"] <= 8
    for told in (first, jumped, typed):
        print(f"{told['encoded']} of {told['prompt']} tokens encoded")


@pytest.mark.model
async def test_what_an_earlier_cell_declares_is_suggested_and_listed(tmp_path: Path) -> None:
    options = {"maxTokens": 16, "contextTokens": 256, "monitors": True}
    async with session(tmp_path, options=options) as editor:
        cells = [("python", PRICE), ("python", "total = price_")]
        notebook = Notebook(editor, "told.ipynb", cells)
        [text] = await editor.suggestions(notebook.cell(1), 0, 14)
        assert text.startswith("of(")
        menu = await editor.client.text_document_completion_async(
            types.CompletionParams(
                types.TextDocumentIdentifier(notebook.cell(1)), types.Position(0, 14)
            )
        )
        assert isinstance(menu, types.CompletionList)
        assert "price_of" in [item.filter_text for item in menu.items]
