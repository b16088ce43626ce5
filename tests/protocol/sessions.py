"""Editor sessions for protocol tests, over pytest-lsp's client."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lsprotocol import types
from pytest_lsp import LanguageClient, client_capabilities
from pytest_lsp.client import make_test_lsp_client

from completion.token_difference import common_prefix
from evaluation.editor_client import COMPLETED, as_dict, server_command
from tests.protocol.servers import FORWARD

REPOSITORY = Path(__file__).parents[2]
REAL_SERVER = server_command()
USUAL_OPTIONS: dict[str, Any] = {
    "timeBudgetMs": 0,
    "suggestions": 1,
    "monitors": False,
    "relatedTokens": 0,
}


def own_server(kind: str) -> list[str]:
    """A server of `tests.protocol.servers`."""
    return [sys.executable, "-P", str(Path(__file__).with_name("servers.py")), kind]


@dataclass(slots=True)
class Session:
    """An editor with some documents open."""

    client: LanguageClient
    initialized: types.InitializeResult
    root: Path
    completed: "asyncio.Queue[dict[str, Any]]"
    forwards: list[int]
    forwarded: asyncio.Event
    versions: dict[str, int] = field(default_factory=dict)

    def open(self, name: str, text: str, language: str = "python") -> str:
        """Open a document of that file name; returns its URI."""
        uri = (self.root / name).as_uri()
        self.versions[uri] = 1
        item = types.TextDocumentItem(uri, language, 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def insert(self, uri: str, line: int, character: int, text: str) -> None:
        here = types.Position(line, character)
        self.send_changes(
            uri, types.TextDocumentContentChangePartial(types.Range(here, here), text)
        )

    def erase(self, uri: str, line: int, start: int, end: int) -> None:
        """Take the characters between two columns of a line away."""
        changed = types.Range(types.Position(line, start), types.Position(line, end))
        self.send_changes(uri, types.TextDocumentContentChangePartial(changed, ""))

    def send_changes(self, uri: str, *changes: types.TextDocumentContentChangeEvent) -> None:
        """As one message."""
        self.versions[uri] += 1
        document = types.VersionedTextDocumentIdentifier(self.versions[uri], uri)
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(document, list(changes))
        )

    def change(self, uri: str, old: str, new: str) -> None:
        """The one change that makes `new` of `old`: what lies between their common ends."""
        head = common_prefix(list(old), list(new))
        tail = common_prefix(list(old[head:][::-1]), list(new[head:][::-1]))
        end = len(old) - tail
        changed = types.Range(position_of(old, head), position_of(old, end))
        self.send_changes(
            uri, types.TextDocumentContentChangePartial(changed, new[head : len(new) - tail])
        )

    def ask(
        self,
        uri: str,
        line: int,
        character: int,
        *,
        invoked: bool = True,
        chosen: types.SelectedCompletionInfo | None = None,
    ) -> "asyncio.Task[types.InlineCompletionList]":
        """A request under way; an invoked one has no debounce."""
        kinds = types.InlineCompletionTriggerKind
        kind = kinds.Invoked if invoked else kinds.Automatic
        params = types.InlineCompletionParams(
            types.InlineCompletionContext(kind, chosen),
            types.TextDocumentIdentifier(uri),
            types.Position(line, character),
        )

        async def request() -> types.InlineCompletionList:
            answer = await self.client.text_document_inline_completion_async(params)
            assert isinstance(answer, types.InlineCompletionList)
            return answer

        return asyncio.create_task(request())

    async def suggestions(self, uri: str, line: int, character: int) -> list[str]:
        answer = await self.ask(uri, line, character)
        return [str(item.insert_text) for item in answer.items]

    async def until(self, met: Callable[[], bool], seconds: float = 120) -> None:
        """Wait for something the server tells."""
        async with asyncio.timeout(seconds):
            while not met():
                await asyncio.sleep(0.02)

    def shown(self) -> list[str]:
        return [message.message for message in self.client.messages]

    def ended(self) -> list[str | None]:
        """What was said of each piece of long work when it had ended."""
        return ended(self.client)


def position_of(text: str, index: int) -> types.Position:
    """The position of a character in text whose characters are one UTF-16 unit each."""
    line_start = text.rfind("\n", 0, index) + 1
    return types.Position(text.count("\n", 0, index), index - line_start)


@asynccontextmanager
async def session(
    root: Path,
    command: Sequence[str] = REAL_SERVER,
    options: Mapping[str, Any] | None = None,
    encodings: Sequence[types.PositionEncodingKind] | None = None,
    wait: bool = True,
    cwd: Path = REPOSITORY,
) -> AsyncIterator[Session]:
    """A server process, initialised for the folder `root`, its model loaded unless told else.

    There is one suggestion, in the time it takes and without static analysis, unless told else:
    slow machines pass as well.
    """
    client = make_test_lsp_client()
    completed: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    forwards: list[int] = []
    forwarded = asyncio.Event()

    @client.feature(COMPLETED)
    def on_completed(params: Any) -> None:
        completed.put_nowait(as_dict(params))

    @client.feature(FORWARD)
    def on_forward(params: Any) -> None:
        forwards.append(params.tokens)
        forwarded.set()

    capabilities = client_capabilities("visual-studio-code")
    assert capabilities.text_document is not None
    capabilities.text_document.inline_completion = types.InlineCompletionClientCapabilities()
    capabilities.notebook_document = types.NotebookDocumentClientCapabilities(
        types.NotebookDocumentSyncClientCapabilities()
    )
    assert capabilities.general is not None
    if encodings is not None:
        capabilities.general.position_encodings = list(encodings)
    await client.start_io(*command, cwd=cwd)
    result = await client.initialize_session(
        types.InitializeParams(
            capabilities=capabilities,
            root_uri=root.as_uri(),
            workspace_folders=[types.WorkspaceFolder(root.as_uri(), root.name)],
            initialization_options=USUAL_OPTIONS | dict(options or {}),
        )
    )
    started = Session(client, result, root, completed, forwards, forwarded)
    try:
        if wait:
            await started.until(lambda: "ready" in ended(client), seconds=1800)
        yield started
    finally:
        await client.shutdown_session()
        await client.stop()


def ended(client: LanguageClient) -> list[str | None]:
    reports: list[Any] = [r for values in client.progress_reports.values() for r in values]
    return [r.message for r in reports if isinstance(r, types.WorkDoneProgressEnd)]
