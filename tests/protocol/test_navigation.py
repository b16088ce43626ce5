"""Hover, signatures, definitions and references in the running server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from lsprotocol import types

from tests.protocol.navigating import LIGHT, asked, opened, places
from tests.protocol.sessions import Session, session
from tests.unit.workspaces import write_files

MARKER = "executed"
TRAP = f"open(__file__ + '.{MARKER}', 'w').close()\n"
SHOP = '''\
class Box:
    """Holds *things*."""

    def __init__(self, size: int) -> None:
        self.size = size

    def seal(self, tight: bool = True) -> str:
        """Close it."""
        return "sealed"


limit = 3
'''
FILES = {
    "shop.py": TRAP + SHOP,
    "other.py": "from shop import Box, limit\n\nBox(limit).seal(tight=False)\n",
    "hidden/secret_use.py": "from shop import limit\nlimit\n",
    "hidden.py": "from shop import limit\nlimit\n",
    ".gitignore": "hidden/\nhidden.py\n",
    ".venv/pyvenv.cfg": "",
    ".venv/lib/python3.11/site-packages/uses.py": "from shop import limit\nlimit\n",
    "setup.py": TRAP,
    "conftest.py": TRAP,
    "jedi.py": TRAP,
    "json.py": TRAP,
}


@pytest.fixture(scope="module")
async def editor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Session]:
    root = write_files(tmp_path_factory.mktemp("shop"), FILES)
    async with session(root, options=LIGHT, wait=False) as started:
        yield started
    assert not list(root.rglob(f"*.{MARKER}"))  # nothing was ever run


async def hovered(editor: Session, at: types.TextDocumentPositionParams) -> str:
    found = await asked(editor, types.TEXT_DOCUMENT_HOVER, at)
    if found is None:
        return ""
    assert found.contents.kind is types.MarkupKind.Markdown
    return str(found.contents.value)


async def test_hover_tells_how_a_name_is_declared_and_what_is_written_of_it(
    editor: Session,
) -> None:
    told = await hovered(editor, opened(editor, "a.py", "from shop import Box\nBo▮x\n"))
    assert told.startswith("```python\nclass Box(size: int)\n```")
    assert "Holds *things*." in told
    told = await hovered(editor, opened(editor, "b.py", "import shop\nbox = shop.Box(1)\nbo▮x\n"))
    assert told == "```python\nbox: Box\n```"
    told = await hovered(editor, opened(editor, "c.py", "import os\nos.path.jo▮in\n"))
    assert told.startswith("```python\ndef join(")
    assert "def seal(tight: bool=True) -> str" in await hovered(
        editor, opened(editor, "d.py", "import shop\nshop.Box(1).sea▮l()\n")
    )


async def test_nothing_is_told_where_there_is_nothing(editor: Session) -> None:
    for number, text in enumerate(
        ("▮", "retu▮rn\n", "# wo▮rd\n", "'▮'\n", "nowhere_to_be_fo▮und\n")
    ):
        assert await hovered(editor, opened(editor, f"n{number}.py", text)) == ""
    assert await hovered(editor, opened(editor, "n.ts", "const ▮a = 1;\n")) == ""


async def test_positions_that_are_wrong_are_answered(editor: Session) -> None:
    at = opened(editor, "wrong.py", "x = 1▮\n")
    for line, character in ((0, 999), (999, 0), (999, 999), (2**31 - 1, 2**31 - 1)):
        at.position = types.Position(line, character)
        for method in (
            types.TEXT_DOCUMENT_HOVER,
            types.TEXT_DOCUMENT_SIGNATURE_HELP,
            types.TEXT_DOCUMENT_DEFINITION,
            types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT,
        ):
            assert not await asked(editor, method, at)
    at.text_document.uri = "file:///not/open.py"
    assert await hovered(editor, at) == ""
    at.text_document.uri = "untitled:one"
    assert await hovered(editor, at) == ""


async def test_a_call_tells_its_parameters_and_which_one_is_written(editor: Session) -> None:
    at = opened(editor, "calls.py", "def cut(a, fat='\U0001f389', at=1):\n    ...\ncut(1, at=▮)\n")
    found = await asked(editor, types.TEXT_DOCUMENT_SIGNATURE_HELP, at)
    (one,) = found.signatures
    assert one.label == "cut(a, fat='\U0001f389', at=1)"
    assert found.active_parameter == 2
    assert [tuple(parameter.label) for parameter in one.parameters] == [(4, 5), (7, 15), (17, 21)]
    at = opened(editor, "no_call.py", "cut▮\n")
    assert await asked(editor, types.TEXT_DOCUMENT_SIGNATURE_HELP, at) is None


async def test_a_name_is_followed_to_where_it_is_from(editor: Session) -> None:
    at = opened(editor, "e.py", "from shop import Box\nbox = Box(1)\nb▮ox\n")
    of_name = await asked(editor, types.TEXT_DOCUMENT_DEFINITION, at)
    assert places(of_name) == [("e.py", 1, 0, 3)]
    of_type = await asked(editor, types.TEXT_DOCUMENT_TYPE_DEFINITION, at)
    assert places(of_type) == [("shop.py", 1, 6, 9)]
    at.position = types.Position(1, 7)
    assert places(await asked(editor, types.TEXT_DOCUMENT_DEFINITION, at)) == [("shop.py", 1, 6, 9)]
    assert places(await asked(editor, types.TEXT_DOCUMENT_DECLARATION, at)) == [("e.py", 0, 17, 20)]
    at = opened(editor, "f.py", "x = 'a'.upp▮er()\n")  # of what has no source there are stubs
    ((name, *_),) = places(await asked(editor, types.TEXT_DOCUMENT_DEFINITION, at))
    assert name == "builtins.pyi"


async def references(
    editor: Session, at: types.TextDocumentPositionParams, *, declared: bool = True
) -> list[tuple[str, int, int, int]]:
    context = types.ReferenceContext(include_declaration=declared)
    return places(await asked(editor, types.TEXT_DOCUMENT_REFERENCES, at, context=context))


async def test_references_are_those_of_the_workspace_and_of_no_ignored_file(
    editor: Session,
) -> None:
    at = opened(editor, "shop.py", TRAP + SHOP.replace("limit", "l▮imit"))
    used = [("other.py", 0, 22, 27), ("other.py", 2, 4, 9)]
    assert await references(editor, at) == [*used, ("shop.py", 12, 0, 5)]
    at.position = types.Position(7, 20)  # a parameter, which others name
    assert await references(editor, at) == [("other.py", 2, 16, 21), ("shop.py", 7, 19, 24)]
    at.position = types.Position(5, 14)
    assert await references(editor, at) == [("shop.py", 5, 13, 17)]


async def test_texts_that_are_not_saved_count(editor: Session) -> None:
    """Also those of other files, and not any more once they are closed."""
    other = "\n\nfrom shop import Box\n\nbox = Box(limit=1)\n"
    uri = editor.open("other.py", other)
    at = opened(editor, "main.py", "import other\nother.b▮ox\n")
    assert places(await asked(editor, types.TEXT_DOCUMENT_DEFINITION, at)) == [
        ("other.py", 4, 0, 3)
    ]
    editor.insert(uri, 0, 0, "# \U0001f389\n")
    assert places(await asked(editor, types.TEXT_DOCUMENT_DEFINITION, at)) == [
        ("other.py", 5, 0, 3)
    ]
    editor.client.text_document_did_close(
        types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri))
    )
    assert places(await asked(editor, types.TEXT_DOCUMENT_DEFINITION, at)) == []


async def test_columns_are_those_of_the_encoding(editor: Session) -> None:
    text = "grö\U0001d4eaße = 1; \x0c x = '\U0001f389\u2028', gr▮ö\U0001d4eaße\r\nx\r\n"
    at = opened(editor, "wide.py", text)
    marked = await asked(editor, types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, at)
    assert [(one.range.start.character, one.range.end.character) for one in marked] == [
        (0, 7),
        (26, 33),
    ]
    kinds = types.DocumentHighlightKind
    assert [one.kind for one in marked] == [kinds.Write, kinds.Read]


async def test_no_answers_about_files_that_are_kept_out(editor: Session) -> None:
    at = opened(editor, "hidden.py", "from shop import limit\nl▮imit\n")
    assert await hovered(editor, at) == ""
    assert await references(editor, at) == []


async def test_a_file_outside_of_the_workspace_is_read_by_itself(
    editor: Session, tmp_path: Path
) -> None:
    write_files(tmp_path, {"beside.py": "from lone import word\nword\n"})
    at = opened(editor, str(tmp_path / "lone.py"), "w▮ord = 1\nword\n")
    assert await references(editor, at) == [("lone.py", 0, 0, 4), ("lone.py", 1, 0, 4)]


async def test_of_several_requests_at_once_the_last_is_answered(editor: Session) -> None:
    at = opened(editor, "quick.py", "from shop import Box\nBo▮x\n")
    *earlier, last = await asyncio.gather(*(hovered(editor, at) for _ in range(4)))
    assert "class Box" in last
    assert set(earlier) <= {"", last}
