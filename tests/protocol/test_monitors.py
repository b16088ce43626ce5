"""Monitors in the running server: what it names exists, and it does without analysis that hangs."""

import os
import signal
from pathlib import Path

import pytest

from lsp_server.features import create_server
from lsp_server.settings import Settings
from retrieval.analyst.child import jedi_worker
from tests.protocol.sessions import own_server, session
from tests.unit.workspaces import write_files

WATCHED = {"monitors": True, "monitorTimeoutMs": 10_000}
INVOICE = """\
class Invoice:
    def __init__(self):
        self.qx_subtotal = 0
        self.qx_levy = 0

    def total(self):
        return self.qx_subtotal + self.
"""
PLACE = (6, len("        return self.qx_subtotal + self."))


@pytest.mark.model
async def test_what_is_named_is_what_there_is(tmp_path: Path) -> None:
    """Among the attributes of another module's class, which only analysis can know."""
    (tmp_path / "invoice.py").write_text(INVOICE.partition("\n\n")[0])
    shop = "from invoice import Invoice\n\n\ndef levy_of(invoice: Invoice) -> int:\n"
    line = "    return invoice."
    async with session(tmp_path, options=WATCHED) as editor:
        uri = editor.open("shop.py", shop + line)
        (text,) = await editor.suggestions(uri, 4, len(line))
        assert text.startswith(("qx_subtotal", "qx_levy"))
        done = await editor.completed.get()
        assert done["monitors"]["taken_back"] <= 1
        assert done["monitors"]["unanswered"] == 0


@pytest.mark.model
@pytest.mark.parametrize(
    ("language", "files", "name", "text"),
    [
        (
            "typescript",
            {"invoice.ts": "export class Invoice {\n  qxSubtotal = 0;\n  qxLevy = 0;\n}\n"},
            "shop.ts",
            "import { Invoice } from './invoice';\n\n"
            "export function levyOf(invoice: Invoice): number {\n  return invoice.▮\n}\n",
        ),
        (
            "go",
            {
                "go.mod": "module example.com/shop\n",
                "invoice/invoice.go": "package invoice\n\n"
                "type Invoice struct {\n\tQxSubtotal int\n\tQxLevy int\n}\n",
            },
            "shop.go",
            'package shop\n\nimport "example.com/shop/invoice"\n\n'
            "func levyOf(bill *invoice.Invoice) int {\n\treturn bill.▮\n}\n",
        ),
    ],
)
async def test_what_is_named_in_other_languages_is_what_the_repository_declares(
    tmp_path: Path, language: str, files: dict[str, str], name: str, text: str
) -> None:
    write_files(tmp_path, files)
    before, after = text.split("▮")
    async with session(tmp_path, options=WATCHED) as editor:
        uri = editor.open(name, before + after, language)
        place = before.count("\n"), len(before.rpartition("\n")[2])
        (suggestion,) = await editor.suggestions(uri, *place)
        assert suggestion.lower().startswith(("qxsubtotal", "qxlevy"))
        done = await editor.completed.get()
        assert done["monitors"]["unanswered"] == 0


@pytest.mark.model
async def test_suggestions_come_without_analysis_that_hangs(tmp_path: Path) -> None:
    async with session(tmp_path, options=WATCHED | {"monitorTimeoutMs": 50}) as editor:
        uri = editor.open("invoice.py", INVOICE)
        await editor.suggestions(uri, *PLACE)
        os.kill(analysis_process_below(os.getpid()), signal.SIGSTOP)
        await editor.completed.get()
        editor.insert(uri, *PLACE, "qx_")
        assert await editor.suggestions(uri, PLACE[0], PLACE[1] + 3)
        editor.insert(uri, 0, 0, "# another text, so that nothing is known of it\n")
        assert await editor.suggestions(uri, PLACE[0] + 1, PLACE[1] + 3)
        last = [await editor.completed.get() for _ in range(editor.completed.qsize())][-1]
        assert last["monitors"]["unanswered"] > 0
        assert last["monitors"]["waited_ms"] < 1000


async def test_an_environment_that_holds_no_packages_is_told(tmp_path: Path) -> None:
    options = {"monitors": True, "pythonEnvironment": str(tmp_path / "nowhere")}
    async with session(tmp_path, own_server("unsure"), options) as editor:
        uri = editor.open("doubt.py", "x = \n")
        assert await editor.suggestions(uri, 0, 4)
        (told,) = editor.shown()
        assert "there are no packages in" in told
        assert "name the folder of a virtual environment" in told


def test_without_an_environment_analysis_knows_our_own_packages(tmp_path: Path) -> None:
    """Also once one was named and is not any more."""
    (tmp_path / "lib" / "python3.12" / "site-packages").mkdir(parents=True)
    server = create_server(lambda *_: pytest.fail("no model is needed"))
    try:
        for environment, known in ((str(tmp_path), str(tmp_path)), ("", None)):
            server.start_analyst(Settings(python_environment=environment))
            assert server.analyst.worker == jedi_worker(known)
    finally:
        server.analyst.close()


def analysis_process_below(process: int) -> int:
    """The process id of the analysis worker among all that a process has started."""
    (found,) = processes_below(process, "retrieval.analyst.worker")
    return found


def processes_below(process: int, module: str) -> list[int]:
    """The process ids of those that run a module, among all that a process has started."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    below = [process]
    for parent in below:
        below += children.get(parent, [])
    return [
        child for child in below if module.encode() in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
