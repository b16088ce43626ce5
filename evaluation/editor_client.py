"""An editor without a screen: drives the real server process over the protocol, as editors do.

Used by the demo, by benchmarks that measure from outside, and by tests. It knows the protocol
and nothing of the server's inside.
"""

import asyncio
import sys
import sysconfig
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from models.errors import PirouetteError

COMPLETED = "$/pirouette/completed"
READY_SECONDS = 1800.0  # a first start may fetch and convert a model
ANSWER_SECONDS = 60.0


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
    indexed: asyncio.Event = field(default_factory=asyncio.Event)
    failure: str = ""
    stage: str = ""
    completed: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)


class EditorClient:
    """One open document in one editor; positions are LSP positions in UTF-16 units."""

    def __init__(self, client: LanguageClient, heard: Heard) -> None:
        self.client = client
        self.heard = heard
        self._versions: dict[str, int] = {}

    @property
    def server_process(self) -> int | None:
        """The number of the server's process."""
        server = self.client._server
        return None if server is None else server.pid

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
        self.replace(uri, types.Range(position, position), text)

    def replace(self, uri: str, changed: types.Range, text: str) -> None:
        """Put `text` in the place of a range."""
        self._versions[uri] += 1
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self._versions[uri], uri),
                [types.TextDocumentContentChangePartial(range=changed, text=text)],
            )
        )

    async def ask(self, uri: str, position: types.Position, *, by_hand: bool = False) -> str:
        """The first suggestion that the server answers with, empty if it has none."""
        kinds = types.InlineCompletionTriggerKind
        answer = await self.client.text_document_inline_completion_async(
            types.InlineCompletionParams(
                context=types.InlineCompletionContext(
                    kinds.Invoked if by_hand else kinds.Automatic
                ),
                text_document=types.TextDocumentIdentifier(uri),
                position=position,
            )
        )
        items = answer.items if isinstance(answer, types.InlineCompletionList) else answer or []
        text = items[0].insert_text if items else ""
        return text if isinstance(text, str) else text.value

    async def suggest(self, uri: str, position: types.Position, *, by_hand: bool = False) -> Answer:
        """Ask for a suggestion, as after a pause in typing or by hand, and wait for it."""
        while not self.heard.completed.empty():
            self.heard.completed.get_nowait()
        started = perf_counter()
        text = await self.ask(uri, position, by_hand=by_hand)
        elapsed = 1e3 * (perf_counter() - started)
        return Answer(text, elapsed, await asyncio.wait_for(self._account(uri), ANSWER_SECONDS))

    async def _account(self, uri: str) -> dict[str, Any]:
        """The server's account of the answer just given, past those of work that was called off."""
        while True:
            told = await self.heard.completed.get()
            at_present = told["uri"] == uri and told["version"] == self._versions[uri]
            if at_present and not told["cancelled"]:
                return told

    async def wait_until_ready(self, tell: Callable[[str], None] = lambda _: None) -> None:
        """Until the model is loaded; `tell` gets what the server is at every half a second.

        Raises `PirouetteError` where it could not be loaded.
        """
        waited = 0.0
        while not self.heard.ready.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self.heard.ready.wait(), timeout=0.5)
            waited += 0.5
            tell(self.heard.stage or "starting")
            if waited > READY_SECONDS:
                raise PirouetteError("the model was not ready in time; see 'pirouette doctor'")
        if self.heard.failure:
            raise PirouetteError(self.heard.failure)

    async def wait_until_indexed(self) -> None:
        """Until the server has read the workspace."""
        await asyncio.wait_for(self.heard.indexed.wait(), READY_SECONDS)


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

    @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def mark(_: types.PublishDiagnosticsParams) -> None:
        return None

    @client.feature(types.PROGRESS)
    def progress(params: types.ProgressParams) -> None:
        value = as_dict(params.value)
        if not isinstance(value, dict):
            value = {name: getattr(value, name, None) for name in ("kind", "message", "percentage")}
        if value["kind"] == "end" and value.get("message") == "ready":
            heard.ready.set()
        elif value["kind"] == "end" and "indexed" in (value.get("message") or ""):
            heard.indexed.set()
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


async def pass_on_logs(client: LanguageClient) -> None:
    """What the server logs beyond its ordinary work, to where this process logs."""
    process = client._server
    stream = None if process is None else process.stderr
    while stream is not None and (line := await stream.readline()):
        if b" info " not in line:
            sys.stderr.write(line.decode(errors="replace"))


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
    logs = asyncio.create_task(pass_on_logs(client))
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
        await logs
