"""Notebooks: cells are documents, and the code of the other ones is what stands around a cell.

To the model a notebook is one text of its code cells, in their order, with the cursor in one of
them: so it has one cache, and going to another cell is a jump in it. Which file they are saved in,
and how, is for the editor to know.
"""

import re
from dataclasses import dataclass, field, replace

from lsprotocol import types

from completion.values import PYTHON
from lsp_server.documents import Document, Documents, Notebook, Place
from lsp_server.positions import LINE_END

SYNC = types.NotebookDocumentSyncOptions([types.NotebookDocumentFilterWithNotebook(notebook="*")])
BETWEEN = "\n\n"  # two cells
# What IPython reads by itself: `%magic`, `!command`, `?name`, `name?`, and what is assigned from
# the first two (IPython's documentation, "Built-in magic commands").
MAGIC = re.compile(
    r"^([ \t]*)("
    r"(?:%{1,2}[A-Za-z]|!(?!=)|\?{1,2}\w|[\w.]+\?{1,2}[ \t]*$|\w[\w ,.]*=[ \t]*[!%]\w).*)",
    re.MULTILINE,
)
CELL_MAGIC = re.compile(r"\s*%%(\w+)")
OF_PYTHON = frozenset({"time", "timeit", "capture", "prun"})  # cell magics, whose cells are Python


@dataclass(slots=True)
class Notebooks:
    """Those that the editor has open; their cells are among its `documents`."""

    documents: Documents
    _open: dict[str, Notebook] = field(default_factory=dict)

    def open(self, params: types.DidOpenNotebookDocumentParams) -> None:
        told = params.notebook_document
        self.close(told.uri)
        notebook = self._open[told.uri] = Notebook(told.uri, list(told.cells))
        for item in params.cell_text_documents:
            self.documents.open(item, notebook)

    def change(self, params: types.DidChangeNotebookDocumentParams) -> None:
        """Apply a change; one of a notebook that is not open is ignored."""
        notebook, cells = self._open.get(params.notebook_document.uri), params.change.cells
        if notebook is None or cells is None:
            return
        if cells.structure is not None:
            array = cells.structure.array
            notebook.cells[array.start : array.start + array.delete_count] = array.cells or []
            for closed in cells.structure.did_close or ():
                self.documents.close(closed.uri)
            for item in cells.structure.did_open or ():
                self.documents.open(item, notebook)
        changed = {cell.document: cell for cell in cells.data or ()}
        notebook.cells[:] = [changed.get(cell.document, cell) for cell in notebook.cells]
        for one in cells.text_content or ():
            self.documents.change(types.DidChangeTextDocumentParams(one.document, one.changes))

    def close(self, uri: str) -> None:
        for cell in self.cells(uri):
            self.documents.close(cell)
        self._open.pop(uri, None)

    def cells(self, uri: str) -> list[str]:
        """The URIs of a notebook's cells; none where it is not open."""
        notebook = self._open.get(uri)
        if notebook is None:
            return []
        return [one.uri for one in self.documents.all() if one.notebook is notebook]


def place_among(place: Place, document: Document, documents: Documents) -> Place:
    """The place of a cell with the code of the notebook's other cells around it.

    A cell that is not Python, whatever its language says (`%%bash`), stands alone.
    """
    notebook = document.notebook
    if notebook is None:
        return place
    if is_foreign(document):
        return replace(place, language="")
    above, below = place.before.rpartition("\n"), place.after.partition("\n")
    if document.language == PYTHON:
        place = replace(
            place,
            before=without_magic(above[0]) + above[1] + above[2],
            after=below[0] + below[1] + without_magic(below[2]),
        )
    earlier, later = texts_around(document, documents)
    return replace(place, document=notebook.uri, earlier=earlier, later=later)


def texts_around(document: Document, documents: Documents) -> tuple[str, str]:
    """The code of the cells of the same language before a cell, and of those after it, with what
    stands between two cells."""
    earlier: list[str] = []
    later = [""]
    texts = earlier
    for cell in [] if document.notebook is None else document.notebook.cells:
        other = documents.find(cell.document)
        if other is document:
            texts = later
        elif other is not None and is_code(cell, other) and other.language == document.language:
            texts.append(code_of(other))
    return BETWEEN.join([*earlier, ""]), BETWEEN.join(later)


def is_code(cell: types.NotebookCell, document: Document) -> bool:
    is_written = cell.kind == types.NotebookCellKind.Code and document.buffer.text.strip()
    return bool(is_written) and not is_foreign(document)


def is_foreign(document: Document) -> bool:
    """Whether a Python cell is handed to something else whole."""
    if document.notebook is None or document.language != PYTHON:
        return False
    magic = CELL_MAGIC.match(document.buffer.text)
    return magic is not None and magic[1] not in OF_PYTHON


def code_of(document: Document) -> str:
    """The text with `\\n` line ends, and as Python reads it where it is a cell of it."""
    text = LINE_END.sub("\n", document.buffer.text)
    if document.notebook is None or document.language != PYTHON:
        return text
    return without_magic(text)


def without_magic(text: str) -> str:
    """The same lines, with comments in the place of what IPython reads by itself."""
    return MAGIC.sub(lambda line: f"{line[1]}{'pass  ' if line[1] else ''}# {line[2]}", text)
