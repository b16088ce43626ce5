"""The process of an analyst that asks a language server, which it starts and which ends with it.

    python -P -m retrieval.analyst.server_worker '{"command": ["some-server", "--stdio"]}'

Questions and answers are lines, as those of `worker`. It must not know who asks.
"""

import asyncio
import json
import os
import sys
from asyncio import StreamReader
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

from retrieval.analyst import messages
from retrieval.analyst.places import with_line_feeds
from retrieval.analyst.questions import STAND_IN, Answer, Question, Wanted
from retrieval.analyst.server_answers import about_answer, call_answer, finds_fault, names_answer
from retrieval.analyst.worker import send, take_standard_output
from retrieval.symbols.answers import DeclaredNames, is_declared_language

TRIES = 2  # to be given a list that is complete
MOST_OPEN = 8  # documents that the server is told about
CAPABILITIES = types.ClientCapabilities(
    text_document=types.TextDocumentClientCapabilities(
        completion=types.CompletionClientCapabilities(),
        diagnostic=types.DiagnosticClientCapabilities(),
        hover=types.HoverClientCapabilities(content_format=[types.MarkupKind.PlainText]),
        publish_diagnostics=types.PublishDiagnosticsClientCapabilities(version_support=True),
        signature_help=types.SignatureHelpClientCapabilities(),
    ),
    workspace=types.WorkspaceClientCapabilities(configuration=True, workspace_folders=True),
)


class Client(LanguageClient):
    """One that tells when its server has ended."""

    def __init__(self) -> None:
        super().__init__("pirouette", version("pirouette-lsp"))
        self.ended = asyncio.Event()

    async def server_exit(self, server: asyncio.subprocess.Process) -> None:  # noqa: ARG002
        self.ended.set()


@dataclass(slots=True)
class Session:
    """A running server, the folders and documents that it was told about, and what it says."""

    client: Client
    pulls: bool = True  # whether it tells faults when it is asked
    roots: set[str] = field(default_factory=set)
    versions: "OrderedDict[str, int]" = field(default_factory=OrderedDict)
    told: "asyncio.Queue[types.PublishDiagnosticsParams]" = field(default_factory=asyncio.Queue)

    @classmethod
    async def start(cls, command: Sequence[str]) -> "Session":
        session = cls(Client())
        # What servers ask, and what they tell.
        handlers: dict[str, Callable[[Any], object]] = {
            types.WORKSPACE_CONFIGURATION: lambda asked: [None for _ in asked.items],
            types.CLIENT_REGISTER_CAPABILITY: lambda _: None,
            types.CLIENT_UNREGISTER_CAPABILITY: lambda _: None,
            types.WINDOW_WORK_DONE_PROGRESS_CREATE: lambda _: None,
            types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS: lambda told: session.told.put_nowait(told),
        }
        for method, handler in handlers.items():
            session.client.feature(method)(handler)
        await session.client.start_io(*command)
        await session.client.initialize_async(
            types.InitializeParams(CAPABILITIES, process_id=os.getpid(), workspace_folders=[])
        )
        session.client.initialized(types.InitializedParams())
        return session

    async def answer(self, question: Question) -> Answer | None:
        """What may stand at a place; None where the server says nothing."""
        uri = Path(question.path).as_uri()
        if question.wanted is Wanted.ABOUT:
            self._show(uri, question.root, question.before + question.after)
            end = range_of_stand_in(question.before).start
            before = types.Position(end.line, max(0, end.character - 1))
            hover = types.HoverParams(types.TextDocumentIdentifier(uri), before)
            return about_answer(await self.client.text_document_hover_async(hover))
        is_call = question.wanted is Wanted.CALL
        text = question.before + STAND_IN + "=1" * is_call + question.after
        self._show(uri, question.root, text)
        place = range_of_stand_in(question.before)
        at = types.TextDocumentIdentifier(uri), place.start
        faulted = finds_fault(await self._faults(uri), place)
        if is_call:
            params = types.SignatureHelpParams(*at)
            found = await self.client.text_document_signature_help_async(params)
            return call_answer(found, is_faulted=faulted)
        # Some servers call their first list incomplete whatever it holds.
        again = types.CompletionContext(types.CompletionTriggerKind.TriggerForIncompleteCompletions)
        for _ in range(TRIES):
            asked = types.CompletionParams(*at, again)
            items = await self.client.text_document_completion_async(asked)
            answer = names_answer(items, is_faulted=faulted)
            if answer.complete or not faulted:
                break
        return answer

    def _show(self, uri: str, root: str, text: str) -> None:
        client = self.client
        if root not in self.roots:
            self.roots.add(root)
            folder = types.WorkspaceFolder(Path(root).as_uri(), Path(root).name)
            event = types.WorkspaceFoldersChangeEvent(added=[folder], removed=[])
            client.workspace_did_change_workspace_folders(
                types.DidChangeWorkspaceFoldersParams(event)
            )
        number = self.versions.pop(uri, 0) + 1
        self.versions[uri] = number
        if number == 1:
            opened = types.TextDocumentItem(uri, "python", number, text)
            client.text_document_did_open(types.DidOpenTextDocumentParams(opened))
        else:
            changed = types.VersionedTextDocumentIdentifier(number, uri)
            whole = types.TextDocumentContentChangeWholeDocument(text)
            client.text_document_did_change(types.DidChangeTextDocumentParams(changed, [whole]))
        if len(self.versions) > MOST_OPEN:
            oldest, _ = self.versions.popitem(last=False)
            closed = types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(oldest))
            client.text_document_did_close(closed)

    async def _faults(self, uri: str) -> Sequence[types.Diagnostic]:
        """What is wrong in a document as it was shown last."""
        if self.pulls:
            asked = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))
            with suppress(JsonRpcException):
                report = await self.client.text_document_diagnostic_async(asked)
                if isinstance(report, types.RelatedFullDocumentDiagnosticReport):
                    return report.items
            self.pulls = False
        while True:
            told = await self.told.get()
            if told.uri == uri and told.version in (None, self.versions[uri]):
                return told.diagnostics


def range_of_stand_in(before: str) -> types.Range:
    """Where it stands behind a text, in UTF-16 code units."""
    lines = with_line_feeds(before).split("\n")
    row, column = len(lines) - 1, len(lines[-1].encode("utf-16-le")) // 2
    return types.Range(types.Position(row, column), types.Position(row, column + len(STAND_IN)))


async def answer_lines(command: Sequence[str], answers: IO[str]) -> None:
    """Answer one question after the other until there are no more, or the server has ended."""
    session, declared = await Session.start(command), DeclaredNames()
    send(answers, {"ready": True})
    lines = StreamReader(limit=2**26)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    ended = asyncio.create_task(session.client.ended.wait())
    while True:
        line = asyncio.create_task(lines.readline())
        await asyncio.wait({line, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not line.done() or not line.result():
            return
        send(answers, await reply(session, line.result(), declared))


async def reply(session: Session, line: bytes, declared: DeclaredNames) -> dict[str, Any]:
    asked = json.loads(line)
    found: Answer | None = None
    problem = ""
    try:
        async with asyncio.timeout(asked["seconds"]):
            question = messages.question_from(asked["question"])
            is_declared = is_declared_language(question.path)
            found = declared.answer(question) if is_declared else await session.answer(question)
    except TimeoutError:
        problem = messages.OUT_OF_TIME
    except (JsonRpcException, ValueError) as error:  # a text that lies in no file has no address
        problem = f"{type(error).__name__}: {error}"
    return {"id": asked["id"], "answer": messages.answer_to(found), "problem": problem}


def main() -> None:
    answers = take_standard_output()
    asyncio.run(answer_lines(json.loads(sys.argv[1])["command"], answers))


if __name__ == "__main__":
    main()
