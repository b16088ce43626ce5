"""The navigation process from its near side, which files are searched, and which may be changed."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from lsp_server.latest_requests import LatestRequests
from retrieval.navigation.named_files import files_named, may_be_changed
from retrieval.navigation.navigator import Navigator, navigation_worker
from retrieval.navigation.questions import (
    Asked,
    CallSignature,
    Found,
    Question,
    Sent,
    Span,
    found_from,
    found_to,
    question_from,
    question_to,
)
from retrieval.workspace_files import WorkspaceFiles
from tests.unit.workspaces import write_files

SECONDS = 30.0


def question(root: Path, text: str, asked: Asked = Asked.DEFINITION) -> Question:
    """About the last name of a text."""
    path = str(root / "asked.py")
    lines = text.rstrip("\n").split("\n")
    return Question(asked, path, str(root), len(lines) - 1, len(lines[-1]) - 1, {path: text})


def test_questions_and_answers_come_back_from_json(tmp_path: Path) -> None:
    sent = Sent(3, 1.5, question(tmp_path, "x\n"))
    assert question_from(question_to(sent)) == sent
    span = Span("/a.py", 1, 2, 3, "x = y", "x", binds=True)
    found = Found([span], [CallSignature("f(a)", "doc", [(2, 3)], None)], "code", "doc", 1)
    assert found_from(found_to(found)) == found
    assert found_from(found_to(None)) is None


async def test_a_question_is_answered_and_the_process_ends_when_idle(tmp_path: Path) -> None:
    navigator = Navigator(idle_seconds=0.05)
    try:
        assert navigator.process_id is None
        found = await navigator.ask(question(tmp_path, "word = 1\nword\n"), SECONDS)
        assert found is not None
        assert [(span.line, span.start) for span in found.spans] == [(0, 0)]
        while navigator.process_id is not None:
            await asyncio.sleep(0.01)
        assert await navigator.ask(question(tmp_path, "word = 1\nword\n"), SECONDS) == found
    finally:
        navigator.close()


async def test_a_frozen_process_is_given_up_and_started_again(tmp_path: Path) -> None:
    navigator = Navigator()
    asked = question(tmp_path, "word = 1\nword\n")
    try:
        assert await navigator.ask(asked, SECONDS)
        process = navigator.process_id
        assert process is not None
        os.kill(process, signal.SIGSTOP)
        assert await navigator.ask(asked, 0.1) is None
        assert navigator.process_id is None
        assert await navigator.ask(asked, SECONDS) is None  # not at once
        while await navigator.ask(asked, SECONDS) is None:
            await asyncio.sleep(0.1)
        assert navigator.process_id != process
    finally:
        navigator.close()
    assert await navigator.ask(asked, SECONDS) is None


async def test_a_question_that_is_withdrawn_holds_up_no_other(tmp_path: Path) -> None:
    """A search of 300 files would take far longer."""
    name = "word"
    body = "\n".join(f"def f{n}({name}):\n    return {name}.{name}" for n in range(300))
    files = {f"many/m{n}.py": body for n in range(300)}
    root = write_files(tmp_path, files)
    text = f"import os\n{name} = os.environ\n"
    path = str(root / "asked.py")
    paths = [str(root / file) for file in files]
    long = Question(Asked.REFERENCES, path, str(root), 1, 1, {path: text}, paths)
    navigator = Navigator()
    try:
        short = question(root, "word = 1\nword\n")
        assert await navigator.ask(short, SECONDS)
        searching = asyncio.create_task(navigator.ask(long, 600.0))
        await asyncio.sleep(0.2)
        searching.cancel()
        assert await navigator.ask(short, SECONDS)
        assert searching.cancelled()
    finally:
        navigator.close()


async def test_a_process_that_cannot_start_answers_nothing(tmp_path: Path) -> None:
    worker = navigation_worker()
    navigator = Navigator(type(worker)("retrieval.nowhere", {}))
    try:
        for _ in range(3):
            assert await navigator.ask(question(tmp_path, "x\n"), SECONDS) is None
    finally:
        navigator.close()


FILES = {
    "a.py": "word = 1\n",
    "b.py": "words = 1\n",
    "c.pyi": "wörd: int\nword: int\n",
    "d.ts": "const word = 1\n",
    "sub/e.py": "x.word\n",
    "hidden.py": "word\n",
    "secrets.py": "word\n",
    "venv/pyvenv.cfg": "",
    "venv/lib/f.py": "word\n",
    "node_modules/g.py": "word\n",
    ".gitignore": "hidden.py\n",
}


def test_files_with_a_name_are_those_that_may_be_read_and_changed(tmp_path: Path) -> None:
    root = write_files(tmp_path, FILES)
    (root / "linked.py").symlink_to(root / "a.py")
    rules = WorkspaceFiles((root,))
    found = files_named(root, rules, "word", {}, 100)
    assert [str(path.relative_to(root)) for path in found] == ["a.py", "c.pyi", "sub/e.py"]
    assert [path for path in root.rglob("*") if may_be_changed(path, [root], rules)] == [
        path for path in root.rglob("*.py*") if path in {*found, root / "b.py"}
    ]
    assert not may_be_changed(tmp_path.parent / "x.py", [root], rules)
    opened = {root / "a.py": "nothing", root / "b.py": "a word"}
    named = files_named(root, rules, "word", opened, 100)
    assert [path.name for path in named] == ["b.py", "c.pyi", "e.py"]
    assert len(files_named(root, rules, "word", {}, 2)) == 2
    assert [path.name for path in files_named(root, rules, "wörd", {}, 9)] == ["c.pyi"]


async def test_only_the_latest_request_of_a_kind_is_answered() -> None:
    latest = LatestRequests()

    async def work(result: str) -> str:
        await asyncio.sleep(0.01)
        return result

    first, second, other = await asyncio.gather(
        latest.run("hover", "a", work("first")),
        latest.run("hover", "a", work("second")),
        latest.run("definition", "a", work("other")),
    )
    assert (first, second, other) == (None, "second", "other")
    under_way = asyncio.create_task(latest.run("hover", "a", work("late")))
    elsewhere = asyncio.create_task(latest.run("hover", "b", work("kept")))
    await asyncio.sleep(0)
    latest.call_off("a")
    assert (await under_way, await elsewhere) == (None, "kept")
    withdrawn = asyncio.create_task(latest.run("hover", "a", work("gone")))
    await asyncio.sleep(0)
    withdrawn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await withdrawn
