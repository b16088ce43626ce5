"""Which requests of navigation are answered, by whom, and which setting switches them off.

A part that is off when the client starts is not offered to it; one that is switched off later has
no answers. No failure reaches the client: nothing is found then, and the log has the reason. Only a
rename that is refused says so.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from lsp_server.latest_requests import LatestRequests
from lsp_server.navigation import answers, imports, outlines, renaming
from lsp_server.navigation.names import Names, View
from lsp_server.navigation.syntax_errors import Publish, SyntaxErrors
from lsp_server.settings import Settings

logger = logging.getLogger(__name__)

Handler = Callable[[Names, Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Request:
    """A request of the protocol; `part` is the setting that it belongs to."""

    part: str
    method: str
    handler: Handler
    options: Any = None


SIGNATURES = types.SignatureHelpOptions(trigger_characters=["(", ","], retrigger_characters=[")"])
RENAMES = types.RenameOptions(prepare_provider=True)
ACTIONS = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
REQUESTS = (
    Request("hover", types.TEXT_DOCUMENT_HOVER, answers.hover),
    Request("hover", types.TEXT_DOCUMENT_SIGNATURE_HELP, answers.signature_help, SIGNATURES),
    Request("navigation", types.TEXT_DOCUMENT_DEFINITION, answers.definition),
    Request("navigation", types.TEXT_DOCUMENT_DECLARATION, answers.declaration),
    Request("navigation", types.TEXT_DOCUMENT_TYPE_DEFINITION, answers.type_definition),
    Request("navigation", types.TEXT_DOCUMENT_REFERENCES, answers.references),
    Request("navigation", types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, answers.document_highlight),
    Request("rename", types.TEXT_DOCUMENT_PREPARE_RENAME, renaming.prepare_rename),
    Request("rename", types.TEXT_DOCUMENT_RENAME, renaming.rename, RENAMES),
    Request("symbols", types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, outlines.document_symbol),
    Request("symbols", types.WORKSPACE_SYMBOL, outlines.workspace_symbol),
    Request("symbols", types.TEXT_DOCUMENT_FOLDING_RANGE, outlines.folding_range),
    Request("symbols", types.TEXT_DOCUMENT_SELECTION_RANGE, outlines.selection_range),
    Request("code_actions", types.TEXT_DOCUMENT_CODE_ACTION, imports.code_action, ACTIONS),
)


@dataclass(slots=True)
class Navigation:
    """Answers the requests of one session."""

    view: Callable[[], View]
    publish: Publish
    names: Names = field(init=False)
    errors: SyntaxErrors = field(init=False)
    _latest: LatestRequests = field(default_factory=LatestRequests)

    def __post_init__(self) -> None:
        self.names = Names(self.view)
        self.errors = SyntaxErrors(self.view, self.publish)

    async def answer(self, request: Request, params: Any) -> Any:
        """None where there is nothing to tell."""
        if not getattr(self.view().settings, request.part):
            return None
        document = getattr(params, "text_document", None)
        uri = "" if document is None else document.uri

        async def work() -> Any:
            return await request.handler(self.names, params)

        try:
            return await self._latest.run(request.method, uri, work())
        except renaming.RefusedError as refused:
            code = types.LSPErrorCodes.RequestFailed
            raise JsonRpcException(str(refused), code=code.value) from None
        except Exception:
            logger.exception("a request of navigation failed; nothing is shown")
            return None

    def call_off(self, uri: str) -> None:
        """End the work for a document whose text has changed."""
        self._latest.call_off(uri)

    def close(self) -> None:
        self.errors.end()
        self.names.navigator.close()


def offer(server: LanguageServer, navigation: Navigation, settings: Settings) -> None:
    """Have the server answer the requests of those parts that are wanted."""
    known = server.protocol.fm.features
    for request in REQUESTS:
        if getattr(settings, request.part) and request.method not in known:
            server.feature(request.method, request.options)(handler_of(navigation, request))


def handler_of(navigation: Navigation, request: Request) -> Callable[[Any], Awaitable[Any]]:
    async def handle(params: Any) -> Any:
        return await navigation.answer(request, params)

    return handle
