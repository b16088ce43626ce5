"""Long work, told to the editor as `$/progress`."""

import asyncio
import uuid
from collections.abc import Callable

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from models.progress import Progress, ProgressCallback

STEP = 0.01  # smallest change of a stage's share that is worth a message


class ProgressReporter:
    """Shows one piece of work from its first report until `end`; silent for other clients."""

    def __init__(self, server: LanguageServer, title: str) -> None:
        self._server = server
        self._title = title
        self._token = str(uuid.uuid4())
        self._begun = False
        self._shown: Progress | None = None
        window = server.client_capabilities.window
        self._supported = bool(window and window.work_done_progress)

    def callback(self) -> ProgressCallback:
        """A callback for another thread, which hands each report over to the event loop."""
        loop = asyncio.get_running_loop()
        report: Callable[[Progress], object] = self._report

        def from_thread(progress: Progress) -> None:
            loop.call_soon_threadsafe(report, progress)

        return from_thread

    async def begin(self) -> None:
        """Ask the client to show progress; a client that will not is left in peace."""
        if not self._supported:
            return
        try:
            await self._server.work_done_progress.create_async(self._token)
        except JsonRpcException:  # a client that has said it would
            return
        self._server.work_done_progress.begin(
            self._token, types.WorkDoneProgressBegin(title=self._title, percentage=0)
        )
        self._begun = True

    def _report(self, progress: Progress) -> None:
        shown = self._shown
        moved = (
            shown is None
            or shown.stage != progress.stage
            or abs(progress.fraction - shown.fraction) >= STEP
        )
        if not (self._begun and moved):
            return
        self._shown = progress
        self._server.work_done_progress.report(
            self._token,
            types.WorkDoneProgressReport(
                message=progress.stage, percentage=round(100 * progress.fraction)
            ),
        )

    def end(self, message: str) -> None:
        """Close the report."""
        if self._begun:
            self._begun = False
            self._server.work_done_progress.end(
                self._token, types.WorkDoneProgressEnd(message=message)
            )
