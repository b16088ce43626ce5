"""The language server: one client's session, and how its requests are answered.

Which message asks for what is said in `lsp_server.features`.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from completion.monitors.monitors import Monitors
from completion.pipeline import Completer
from completion.token_types.fusion import load_type_fusion
from completion.values import CompletionRequest
from lsp_server.analysis import choose_worker
from lsp_server.api_search import ApiSearches
from lsp_server.documents import Documents, Place, place_in, place_with
from lsp_server.indexing import Indexing
from lsp_server.inference_thread import InferenceThread
from lsp_server.menu_completion import NOTHING, Around, Menu
from lsp_server.navigation.names import View
from lsp_server.navigation.offered import Navigation
from lsp_server.notebooks import SYNC, Notebooks, place_among
from lsp_server.progress_reports import ProgressReporter
from lsp_server.protocol import PirouetteProtocol, tolerant_converter
from lsp_server.settings import SECTION, ReadSettings, Settings, read_settings
from lsp_server.suggesting import Suggesting
from lsp_server.watched_files import watches_files
from lsp_server.workspace_code import WorkspaceCode
from models.errors import PirouetteError
from models.language_model import load_language_model
from models.progress import ProgressCallback
from models.store import ModelStore
from models.tokenizer import CodeTokenizer
from retrieval.analyst.analyst import ProcessAnalyst
from retrieval.workspace_files import WorkspaceFiles

logger = logging.getLogger(__name__)

NOTHING_CHOSEN: Mapping[str, str] = {}
LATE = 10.0  # seconds after which nobody waits for static analysis, whatever the settings say
MakeMonitors = Callable[[CodeTokenizer], Monitors | None]
LoadModel = Callable[[Settings, ProgressCallback, MakeMonitors, WorkspaceCode], Completer]


def load_completer(
    store: ModelStore,
    settings: Settings,
    progress: ProgressCallback,
    make_monitors: MakeMonitors,
    code: WorkspaceCode,
) -> Completer:
    """The completer for these settings; fetches and converts its model where needed."""
    adapter = Path(settings.adapter).expanduser() if settings.adapter else None
    folder = store.pull(settings.model, progress)
    model = load_language_model(settings.model, folder, progress, adapter=adapter)
    options, monitors = settings.completion_options(), make_monitors(model.tokenizer)
    types = load_type_fusion(model.tokenizer) if settings.token_types else None
    answers = code.api_for if settings.api_calls else None
    return Completer(model, options, monitors=monitors, related=code, types=types, answers=answers)


class PirouetteServer(LanguageServer):
    """One client's session: its documents, its settings, and the thread that runs the model."""

    def __init__(self, load: LoadModel, chosen: Mapping[str, str] = NOTHING_CHOSEN) -> None:
        super().__init__(
            "pirouette",
            version("pirouette-lsp"),
            protocol_cls=PirouetteProtocol,
            converter_factory=tolerant_converter,
            notebook_document_sync=SYNC,
        )
        self.inference = InferenceThread()
        self.use_encoding(types.PositionEncodingKind.Utf16)
        self.files = WorkspaceFiles(())
        self.settings = Settings()
        self.roots: tuple[Path, ...] = ()
        self.analyst = ProcessAnalyst(timeout=LATE)
        self.searches = ApiSearches()
        self.menu = Menu(self.inference)
        self.suggesting = Suggesting(
            self.inference, self.request_of, self.is_current, self.protocol.notify
        )
        self.indexing = Indexing()
        self.navigation = Navigation(self.view, self.text_document_publish_diagnostics)
        self.initial = ReadSettings(self.settings, ())
        self.shut_down = False
        self._load = load
        self._chosen = chosen
        self._loading: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[None] | None = None
        self._reading: ProgressReporter | None = None  # of the indexing
        self._told_of_changes: bool | None = None  # by the client; None while nobody has asked it

    def use_encoding(self, encoding: types.PositionEncodingKind | str) -> None:
        """Begin without documents, in whose lines columns are counted so."""
        self.documents = Documents(encoding)
        self.notebooks = Notebooks(self.documents)

    def report_server_error(self, error: Exception, source: object) -> None:  # noqa: ARG002
        """An illegal message is logged; the editor is not bothered with it."""
        logger.warning("a message was refused: %s", type(error).__name__)

    @property
    def code(self) -> WorkspaceCode:
        """What the indexes know of the workspace and its packages, and the texts that are open."""
        environment = self.settings.python_environment
        return WorkspaceCode(self.files, lambda: self.documents.texts(), environment)

    def view(self) -> View:
        """What navigation sees of the session now."""
        settings, capabilities = self.settings, self.client_capabilities
        return View(self.documents, self.files, self.roots, settings, self.code, capabilities)

    # Settings and model

    def take_settings(self, read: ReadSettings) -> None:
        """Use new settings from now on, and tell the user of those that were refused."""
        self.settings = read.settings
        for complaint in read.complaints:
            self.tell(types.MessageType.Warning, complaint)

    def tell(self, kind: types.MessageType, message: str) -> None:
        logger.warning("%s", message)
        self.window_show_message(types.ShowMessageParams(kind, f"Pirouette: {message}"))

    async def pull_settings(self) -> None:
        """Ask the client for its settings, where it lets itself be asked."""
        workspace = self.client_capabilities.workspace
        if not (workspace and workspace.configuration):
            return
        item = types.ConfigurationItem(section=SECTION)
        try:
            answer = await self.workspace_configuration_async(types.ConfigurationParams([item]))
        except JsonRpcException:  # a client that has said it would
            return
        if answer and answer[0]:
            self.take_settings(read_settings(answer[0]))

    def start_loading(self) -> None:
        """Load the model of the present settings in the background, in place of any other."""
        if self._loading is not None:
            self._loading.cancel()
        self._loading = asyncio.create_task(self._load_model())

    async def _load_model(self) -> None:
        settings = self.model_settings()
        if settings.monitors or settings.menu:
            self.start_analyst(settings)
        reporter = ProgressReporter(self, f"Pirouette: {settings.model}")
        outcome = "failed"
        try:
            await reporter.begin()
            progress = reporter.callback()
            await self.inference.load(
                lambda: self._load(settings, progress, self.make_monitors, self.code)
            )
            outcome = "ready"
            logger.info("model %s is ready", settings.model)
        except PirouetteError as error:
            self.tell(types.MessageType.Error, str(error))
        except Exception as error:
            logger.exception("loading failed")
            self.tell(types.MessageType.Error, f"loading the model failed ({type(error).__name__})")
        finally:
            reporter.end(outcome)

    def start_indexing(self) -> None:
        """Have the indexes of the workspace made, and kept as its files are, if they are wanted."""
        self.end_indexing()
        if self.settings.related_tokens and self.roots:
            self._starting = asyncio.create_task(self._start_indexing())

    def index_anew(self) -> None:
        """Look at all files now, for somebody who asks for it."""
        self.start_indexing()
        if not self.settings.related_tokens:
            self.tell(types.MessageType.Warning, "nothing is indexed while 'relatedTokens' is 0")
        elif not self.roots:
            self.tell(types.MessageType.Warning, "nothing is indexed while no folder is open")

    def end_indexing(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
        self.indexing.end()
        if self._reading is not None:
            self._reading.end("given up")

    async def _start_indexing(self) -> None:
        reporter = self._reading = ProgressReporter(self, "Pirouette: reading the workspace")
        await reporter.begin()
        if self._told_of_changes is None:
            self._told_of_changes = await watches_files(self)
        environment = self.settings.python_environment
        watching = not self._told_of_changes
        self.indexing.begin(self.roots, environment, reporter.end, watching=watching)

    def start_analyst(self, settings: Settings) -> None:
        """Have one that knows the user's packages, warm by the time the model is loaded."""
        chosen = choose_worker(settings.python_environment, settings.analysis_server)
        for complaint in chosen.complaints:
            self.tell(types.MessageType.Warning, complaint)
        if self.analyst.worker != chosen.worker:
            self.analyst.close()
            self.analyst = ProcessAnalyst(timeout=LATE, worker=chosen.worker)
        self.analyst.start()

    def make_monitors(self, tokenizer: CodeTokenizer) -> Monitors | None:
        """Who watches what is written, where the user has not done without."""
        seconds = self.settings.monitor_timeout_ms / 1000
        if not self.settings.monitors:
            return None
        return Monitors(tokenizer, self.analyst, self.roots, seconds)

    def model_settings(self) -> Settings:
        """The settings with what was chosen on the command line, which goes before all others."""
        return Settings(**(asdict(self.settings) | dict(self._chosen)))

    def look_at_cells(self, notebook: str) -> None:
        """Mark mistakes in the cells of a notebook that has changed, once it rests."""
        for cell in self.notebooks.cells(notebook):
            self.navigation.errors.look(cell)

    # Suggestions

    def call_off(self, uri: str) -> None:
        """End the work for a document whose text or cursor is no longer the one it is for."""
        self.menu.call_off(uri)
        self.navigation.call_off(uri)
        self.suggesting.call_off(uri)

    async def suggest(
        self, params: types.InlineCompletionParams
    ) -> list[types.InlineCompletionItem]:
        """The answer to one request: one item or none; several where it was asked for by hand."""
        self.suggesting.call_off(params.text_document.uri)
        chosen, kind = params.context.selected_completion_info, params.context.trigger_kind
        place = self.place_at(params.text_document.uri, params.position, chosen)
        if place is None or not self.inference.ready:
            return []
        by_hand = kind == types.InlineCompletionTriggerKind.Invoked
        return await self.suggesting.suggest(place, self.settings, by_hand=by_hand)

    def place_at(
        self,
        uri: str,
        position: types.Position,
        chosen: types.SelectedCompletionInfo | None = None,
    ) -> Place | None:
        """A place that may be completed at, with what is `chosen` in the editor's menu; None for a
        document that is not open, or kept out."""
        document = self.view().document(uri)
        if document is None or not self.settings.enabled:
            return None
        if chosen is None:
            place: Place | None = place_in(document, position)
        else:
            place = place_with(document, position, chosen)
        return None if place is None else place_among(place, document, self.documents)

    def request_at(self, uri: str, position: types.Position) -> CompletionRequest | None:
        place = self.place_at(uri, position)
        return None if place is None else self.request_of(place)

    def is_current(self, place: Place) -> bool:
        """Whether the document is still the one that the place is in."""
        document = self.documents.find(place.uri)
        return document is not None and document.version == place.version

    def request_of(self, place: Place) -> CompletionRequest:
        request = place.request("")
        indentation = self.settings.indentation_for(request.before + request.after)
        return replace(request, indentation=indentation, single_line=self.settings.single_line)

    async def list_names(self, params: types.CompletionParams) -> types.CompletionList:
        """The menu at a place, where the user wants one."""
        place = self.place_at(params.text_document.uri, params.position)
        if place is None or not self.settings.menu:
            return NOTHING
        around = Around(self.analyst, self.roots, self.code)
        return await self.menu.complete(place, self.request_of(place), around)
