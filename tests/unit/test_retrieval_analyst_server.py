"""A language server as the analyst: basedpyright, which is a type checker."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsprotocol import types

from lsp_server.analysis import choose_worker
from retrieval.analyst.analyst import ProcessAnalyst
from retrieval.analyst.child import jedi_worker, server_worker
from retrieval.analyst.questions import Answer, Question, Wanted
from retrieval.analyst.server_answers import call_answer, finds_fault, name_of, names_answer
from retrieval.index.declarations import Kind

START = 60.0  # seconds that a start may take on a busy machine
COMMAND = [str(Path(sys.executable).parent / "basedpyright-langserver"), "--stdio"]


@pytest.fixture(scope="module")
def analyst() -> Iterator[ProcessAnalyst]:
    with ProcessAnalyst(30.0, 30.0, server_worker(COMMAND)) as shared:
        assert shared.wait_until_warm(START)
        yield shared


def ask(
    analyst: ProcessAnalyst, root: Path, text: str, wanted: Wanted = Wanted.NAMES
) -> Answer | None:
    before, after = text.split("▮")
    asked = Question(str(root / "asked.py"), str(root), before, after, wanted)
    return analyst.ask(asked).result(timeout=40)


def descendants(process: int) -> Iterator[int]:
    """What a process has started, and what that has."""
    for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        yield int(child)
        yield from descendants(int(child))


POINT = "class Point:\n    def __init__(self, near: int) -> None:\n        self.near = near\n"


@pytest.mark.parametrize(
    ("text", "name", "complete"),
    [
        ("def f(p: Point):\n    return p.▮\n", "near", True),
        ("def f(p: 'Point | None'):\n    return p.▮\n", "near", True),
        ("from nowhere import g\np = g() or None\np.▮\n", "", False),
        ("def f(p):\n    return p.▮\n", "", False),
        ("é = '😀'; Point(1).▮\n", "near", True),
        ("from other import ▮\n", "far", True),
    ],
)
def test_what_the_server_finds_fault_with_is_known_in_full(
    analyst: ProcessAnalyst, tmp_path: Path, text: str, name: str, complete: bool
) -> None:
    (tmp_path / "other.py").write_text("far = 1\n")
    answer = ask(analyst, tmp_path, POINT + text)
    assert answer is not None
    assert answer.complete is complete
    assert name in answer.names or not name


def test_a_call(analyst: ProcessAnalyst, tmp_path: Path) -> None:
    for text, complete in (
        ("def f(a, b=1): ...\nf(▮)\n", True),
        ("def f(**a): ...\nf(▮)\n", False),
    ):
        answer = ask(analyst, tmp_path, text, Wanted.CALL)
        assert answer is not None
        assert answer.complete is complete
    answer = ask(analyst, tmp_path, "def f(a, *b, c=1): ...\nf(1, ▮)\n", Wanted.CALL)
    assert answer is not None
    assert answer.names == {"a", "c"}
    assert ask(analyst, tmp_path, "x = ▮\n", Wanted.CALL) is None


def test_a_text_that_lies_in_no_file_is_no_reason_to_end(
    analyst: ProcessAnalyst, tmp_path: Path
) -> None:
    process = analyst.process_id
    asked = Question("", ".", "x = ''\nx.", "\n", Wanted.NAMES)
    assert analyst.ask(asked).result(timeout=40) is None
    assert ask(analyst, tmp_path, POINT + "Point(1).▮\n") is not None
    assert analyst.process_id == process


def test_a_server_that_ends_is_started_again(analyst: ProcessAnalyst, tmp_path: Path) -> None:
    first = analyst.process_id
    assert first is not None
    *_, server = descendants(first)  # its command starts it in a process of its own
    os.kill(server, signal.SIGKILL)
    until = time.monotonic() + START
    while analyst.process_id == first and time.monotonic() < until:
        time.sleep(0.05)
    assert analyst.process_id != first
    assert analyst.wait_until_warm(START)
    answer = ask(analyst, tmp_path, POINT + "Point(1).▮\n")
    assert answer is not None
    assert "near" in answer.names


def test_settings_choose_who_is_asked(tmp_path: Path) -> None:
    command = f"'{sys.executable}' --flag"
    assert choose_worker("", command).worker == server_worker([sys.executable, "--flag"])
    assert choose_worker("", "").worker == jedi_worker()
    for server, told in (("no-such-server --stdio", "there is no command"), ("'", "no command")):
        chosen = choose_worker("", server)
        assert chosen.worker == jedi_worker()
        assert told in chosen.complaints[0]
    (told,) = choose_worker(str(tmp_path), "").complaints
    assert "there are no packages" in told


ITEM = types.CompletionItem


def test_items_that_are_no_names_of_the_program() -> None:
    edit = types.TextEdit(types.Range(types.Position(0, 0), types.Position(0, 0)), "import a\n")
    items = [
        (ITEM("near"), "near"),
        (ITEM("near(x)", insert_text="near($1)"), "near"),
        (ITEM("if", kind=types.CompletionItemKind.Keyword), ""),
        (ITEM("imported", additional_text_edits=[edit]), ""),
        (ITEM("[]"), ""),
    ]
    assert [name_of(item) for item, _ in items] == [name for _, name in items]
    half = types.CompletionList(is_incomplete=True, items=[ITEM("near")])
    assert not names_answer(half, is_faulted=True).complete
    assert not names_answer(None, is_faulted=True).names


def test_what_a_server_says_that_names_are() -> None:
    method, other = types.CompletionItemKind.Method, types.CompletionItemKind.Color
    items = [ITEM("near", kind=method), ITEM("far", kind=other), ITEM("away")]
    answer = names_answer(items, is_faulted=True)
    assert answer.names == {"near", "far", "away"}
    assert answer.kinds == {"near": Kind.METHOD}


def test_a_fault_is_an_error_at_the_very_name() -> None:
    place = types.Range(types.Position(1, 2), types.Position(1, 5))
    wider = types.Range(types.Position(1, 0), types.Position(1, 5))
    error, warning = types.DiagnosticSeverity.Error, types.DiagnosticSeverity.Warning
    for at, severity, code, found in (
        (place, error, "reportAttributeAccessIssue", True),
        (place, warning, "reportUnknownMemberType", False),
        (place, error, "reportOptionalMemberAccess", False),
        (wider, error, "reportAttributeAccessIssue", False),
    ):
        assert finds_fault([types.Diagnostic(at, "", severity, code)], place) is found


def test_parameters_are_read_from_labels_and_from_places_in_them() -> None:
    label = "(a: int, *rest, **more)"
    parameters = [types.ParameterInformation(one) for one in ((1, 7), "*rest", "**more")]
    answer = call_answer(
        types.SignatureHelp([types.SignatureInformation(label, parameters=parameters)]),
        is_faulted=True,
    )
    assert answer is not None
    assert answer.call is not None
    assert answer.call.keywords == {"a"}
    assert answer.call.any_keyword
    assert answer.call.any_positional
