"""Where Pirouette departs from pygls's protocol.

Documents are kept by `lsp_server.documents` alone, so pygls's own copies are not made; every
request has an answer, whatever it holds; and values from older clients that the generated types
refuse are read as what they mean.
"""

from collections.abc import Generator
from concurrent.futures import Future
from typing import Any

from cattrs import Converter
from lsprotocol import types
from pygls.exceptions import (
    FeatureRequestError,
    JsonRpcException,
    JsonRpcInvalidRequest,
    JsonRpcMethodNotFound,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import LanguageServerProtocol, default_converter
from pygls.protocol.language_server import lsp_method

IDS = (int, str)  # the types of what names a request


def handed_on(method: str) -> Any:
    """A method of pygls's protocol that leaves everything to the server's own handler."""

    @lsp_method(method)
    def hand_on(protocol: LanguageServerProtocol, params: Any) -> Generator[Any, Any, None]:
        yield protocol.fm.features[method], (params,), None

    return hand_on


class PirouetteProtocol(LanguageServerProtocol):
    """The language server protocol without a second copy of every document, for any client."""

    # Messages

    def structure_message(self, data: dict[str, Any]) -> Any:
        """An object as it is. JSON's reader calls this for each, those inside of others included;
        what makes a message of it is `handle_message`, which has the whole."""
        return data

    def handle_message(self, message: Any) -> None:
        """Take a message, of which nothing is known but that it is JSON.

        A request that is wrong is answered with what is wrong, an answer that is wrong counts as a
        failure, and of anything else that is wrong there is a line in the log.
        """
        try:
            told = self._told_by(message)
        except JsonRpcException as error:
            if is_request(message):
                self._send_response(message["id"], error=error.to_response_error())
            elif isinstance(message, dict) and self._is_awaited(message.get("id")):
                self._handle_response(message["id"], error=error.to_response_error())
            self._server._report_server_error(error, FeatureRequestError)
        else:
            super().handle_message(told)

    def _told_by(self, message: Any) -> Any:
        """The message of the protocol. Raises `JsonRpcException` where it is none, or comes when it
        must not."""
        if not isinstance(message, dict) or message.get("jsonrpc") != self.VERSION:
            raise JsonRpcInvalidRequest
        if "method" not in message:
            if not self._is_awaited(message.get("id")):
                raise JsonRpcInvalidRequest
            return super().structure_message(message)
        method, is_answer = message["method"], "result" in message or "error" in message
        if not isinstance(method, str) or is_answer or ("id" in message) != is_request(message):
            raise JsonRpcInvalidRequest
        if method != types.EXIT and self._shutdown:
            raise JsonRpcInvalidRequest
        if (method == types.INITIALIZE) == (self._workspace is not None):
            raise JsonRpcInvalidRequest if self._workspace else JsonRpcServerNotInitialized
        told = super().structure_message(message)
        if "id" in message and not hasattr(told, "id"):
            raise JsonRpcMethodNotFound.of(method)  # the name of a notification
        return told

    def _is_awaited(self, number: Any) -> bool:
        """Whether a request of this server has that id, and no answer yet."""
        return isinstance(number, str) and number in self._result_types

    def _handle_response(
        self, msg_id: Any, result: Any = None, error: types.ResponseError | None = None
    ) -> None:
        self._result_types.pop(msg_id, None)
        future = self._request_futures.get(msg_id)
        if future is not None and future.done():  # whoever asked waits no more
            del self._request_futures[msg_id]
        else:
            super()._handle_response(msg_id, result, error)

    def _send_handler_result(self, future: "Future[Any]", *, msg_id: Any) -> None:
        """A handler that refuses a request is no defect that the log would show."""
        error = None if future.cancelled() else future.exception()
        if isinstance(error, JsonRpcException):
            self._send_response(msg_id, error=error.to_response_error())
        else:
            super()._send_handler_result(future, msg_id=msg_id)

    def _execute_handler(
        self, msg_id: Any, handler: Any, callback: Any, args: Any = None, kwargs: Any = None
    ) -> None:
        """pygls would keep what has come of each notification as long as it runs."""
        super()._execute_handler(msg_id, handler, callback, args, kwargs)
        future = self._request_futures.get(msg_id)
        if future is not None:
            future.add_done_callback(lambda _: self._request_futures.pop(msg_id, None))

    def _handle_cancel_notification(self, msg_id: Any) -> None:
        if type(msg_id) in IDS:
            super()._handle_cancel_notification(msg_id)

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *args: Any) -> Generator[Any, Any, None]:
        """Call off all work, some of which ends, and is forgotten, while it is gone through."""
        yield self.fm.features[types.SHUTDOWN], args, None
        for number, future in list(self._request_futures.items()):
            if number != self.msg_id:
                future.cancel()
        self._shutdown = True

    # Documents

    lsp_text_document__did_open = handed_on(types.TEXT_DOCUMENT_DID_OPEN)
    lsp_text_document__did_change = handed_on(types.TEXT_DOCUMENT_DID_CHANGE)
    lsp_text_document__did_close = handed_on(types.TEXT_DOCUMENT_DID_CLOSE)
    lsp_notebook_document__did_open = handed_on(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    lsp_notebook_document__did_change = handed_on(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    lsp_notebook_document__did_close = handed_on(types.NOTEBOOK_DOCUMENT_DID_CLOSE)


def is_request(message: Any) -> bool:
    """Whether somebody waits for an answer to it, however wrong it is."""
    if not isinstance(message, dict) or "method" not in message:
        return False
    return type(message.get("id")) in IDS


def tolerant_converter() -> Converter:
    """pygls's converter, which also takes the trigger kind 0 of vscode-languageclient 9."""
    converter: Converter = default_converter()  # type: ignore[no-untyped-call]
    kinds = {kind.value: kind for kind in types.InlineCompletionTriggerKind}
    converter.register_structure_hook(
        types.InlineCompletionTriggerKind,
        lambda value, _: kinds.get(value, types.InlineCompletionTriggerKind.Automatic),
    )
    return converter
