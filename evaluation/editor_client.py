"""An editor without a screen: drives the real server process over the protocol, as editors do.

Used by the demo, by benchmarks that measure from outside, and by tests. It knows the protocol
and nothing of the server's inside.
"""

import asyncio
import sys
import sysconfig
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

COMPLETED = "$/pirouette/completed"
READY_SECONDS = 1800.0  # a first start may fetch and convert a model


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request came back with; `completed` is the server's account of tokens and times."""

    text: str
    milliseconds: float
    completed: Mapping[str, Any]


@dataclass(slots=True)
class Heard:
    """What the server has said of its own accord."""

    ready: asyncio.Event = field(default_factory=asyncio.Event)
    failure: str = ""
    stage: str = ""
    completed: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)


class EditorClient:
    """One open document in one editor; positions are LSP positions in UTF-16 units."""

    def __init__(self, client: LanguageClient, heard: Heard) -> None:
        self.client = client
        self.heard = heard
        self._versions: dict[str, int] = {}

    def open(self, uri: str, text: str, language: str = "python") -> None:
        self._versions[uri] = 1
        item = types.TextDocumentItem(uri, language, 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def close(self, uri: str) -> None:
        self.client.text_document_did_close(
            types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri))
        )

    def insert(self, uri: str, position: types.Position, text: str) -> None:
        """Type `text` at a position."""
        self._versions[uri] += 1
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self._versions[uri], uri),
                [
                    types.TextDocumentContentChangePartial(
                        range=types.Range(position, position), text=text
                    )
                ],
            )
        )

    async def suggest(self, uri: str, position: types.Position) -> Answer:
        """Ask for a suggestion, as after a pause in typing."""
        while not self.heard.completed.empty():
            self.heard.completed.get_nowait()
        started = perf_counter()
        answer = await self.client.text_document_inline_completion_async(
            types.InlineCompletionParams(
                context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic),
                text_document=types.TextDocumentIdentifier(uri),
                position=position,
            )
        )
        elapsed = 1e3 * (perf_counter() - started)
        completed = await asyncio.wait_for(self.heard.completed.get(), timeout=60)
        items = answer.items if isinstance(answer, types.InlineCompletionList) else answer or []
        text = items[0].insert_text if items else ""
        return Answer(text if isinstance(text, str) else text.value, elapsed, completed)


def server_command(arguments: Sequence[str] = ()) -> list[str]:
    """The installed `pirouette` program of this environment."""
    suffix = ".exe" if sys.platform == "win32" else ""
    program = Path(sysconfig.get_path("scripts")) / f"pirouette{suffix}"
    return [str(program), "serve", *arguments]


def listen(client: LanguageClient, heard: Heard) -> None:
    """Take note of progress, failures and finished completions."""

    @client.feature(types.WINDOW_WORK_DONE_PROGRESS_CREATE)
    def create(_: types.WorkDoneProgressCreateParams) -> None:
        return None

    @client.feature(types.PROGRESS)
    def progress(params: types.ProgressParams) -> None:
        value = as_dict(params.value)
        if not isinstance(value, dict):
            value = {name: getattr(value, name, None) for name in ("kind", "message", "percentage")}
        if value["kind"] == "end" and value.get("message") == "ready":
            heard.ready.set()
        elif value["kind"] == "report":
            heard.stage = f"{value.get('message')} {value.get('percentage') or 0} %"

    @client.feature(types.WINDOW_SHOW_MESSAGE)
    def show(params: types.ShowMessageParams) -> None:
        if params.type == types.MessageType.Error:
            heard.failure = params.message
            heard.ready.set()

    @client.feature(COMPLETED)
    def completed(params: Any) -> None:
        heard.completed.put_nowait(as_dict(params))


def as_dict(value: Any) -> Any:
    """pygls gives the parameters of unknown notifications as nested named tuples."""
    if hasattr(value, "_asdict"):
        return {name: as_dict(part) for name, part in value._asdict().items()}
    return value


@asynccontextmanager
async def editor(
    root: Path,
    command: Sequence[str],
    options: Mapping[str, Any] | None = None,
    cwd: Path | None = None,
) -> AsyncIterator[EditorClient]:
    """A server started and initialised for the folder `root`, and shut down at the end."""
    client, heard = LanguageClient("pirouette-editor", "1"), Heard()
    listen(client, heard)
    await client.start_io(*command, cwd=cwd)
    capabilities = types.ClientCapabilities(
        window=types.WindowClientCapabilities(work_done_progress=True),
        text_document=types.TextDocumentClientCapabilities(
            inline_completion=types.InlineCompletionClientCapabilities()
        ),
    )
    folder = types.WorkspaceFolder(root.absolute().as_uri(), root.name)
    await client.initialize_async(
        types.InitializeParams(
            capabilities=capabilities,
            process_id=None,
            root_uri=folder.uri,
            workspace_folders=[folder],
            initialization_options=dict(options or {}),
        )
    )
    client.initialized(types.InitializedParams())
    try:
        yield EditorClient(client, heard)
    finally:
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()
