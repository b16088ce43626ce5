"""Answers inline completion: when the model is asked, what is shown, what is told of the work.

Where the cursor stands, and whether anything may be suggested there, is for the server to know.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from lsprotocol import types

from completion.values import CompletionRequest
from lsp_server.documents import Place
from lsp_server.inference_thread import Finished, InferenceThread
from lsp_server.latest_requests import LatestRequests
from lsp_server.settings import Settings

COMPLETED = "$/pirouette/completed"
READING = 0.075  # seconds before the end of a pause that reading begins: a pass over a few tokens
Items = list[types.InlineCompletionItem]


@dataclass(slots=True)
class Suggesting:
    """The suggestions of one session; of one document, those of the latest request only.

    `request_of` tells what the model is asked at a place, `is_current` whether the text is still
    the one of the place; `notify` sends a notification.
    """

    inference: InferenceThread
    request_of: Callable[[Place], CompletionRequest]
    is_current: Callable[[Place], bool]
    notify: Callable[[str, Any], None]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _latest: LatestRequests = field(default_factory=LatestRequests)

    async def suggest(self, place: Place, settings: Settings, *, by_hand: bool) -> Items:
        """One item or none; several where they are asked for by hand."""
        work = self._suggest_at(place, settings, by_hand=by_hand)
        return await self._latest.run(COMPLETED, place.uri, work) or []

    def call_off(self, uri: str) -> None:
        """End the work for a document whose text or cursor is no longer the one it is for."""
        self.inference.end_idle_work()
        self._latest.call_off(uri)

    async def _suggest_at(self, place: Place, settings: Settings, *, by_hand: bool) -> Items:
        """What was suggested before and still holds, at once; else what the model says.

        Whoever erases wants no new text, and each further key would call it off: the model is left
        alone then. What was not asked for is written after a pause, and shown if it is confident
        enough.
        """
        request = self.request_of(place)
        now = asyncio.get_running_loop().time()
        least, most, paused = 0.0, settings.suggestions, 0.0
        if not by_hand:
            least, most = settings.minimum_confidence, 1
            known = await self.inference.remembered(request)
            if place.erased:
                certain = known is not None and known.confidence >= least
                return [place.item(known.text)] if known and certain and known.text else []
            if known is None:
                paused = await self._read_until(now + settings.debounce_ms / 1e3, place, request)

        def tell(finished: Finished) -> None:
            self.notify(COMPLETED, account_of(place, finished, paused))

        first, *others = await self.inference.complete(request, most, tell, by_hand=by_hand)
        if first.confidence < least:
            first = replace(first, text="")  # nothing that will be accepted
        self.inference.get_ahead(request, first)
        if not self.is_current(place):
            return []
        return [place.item(one.text) for one in (first, *others) if one.text]

    async def _read_until(self, end: float, place: Place, request: CompletionRequest) -> float:
        """Let a pause go by up to its `end`, before which the text is read; seconds of it that were
        idle."""
        clock = asyncio.get_running_loop().time
        before = max(0.0, end - READING - clock())
        await self.sleep(before)

        def tell(called_off: Finished) -> None:
            self.notify(COMPLETED, account_of(place, called_off, before))

        encoded = await self.inference.prepare(request, tell)
        after = max(0.0, end - clock())
        try:
            await self.sleep(after)
        except asyncio.CancelledError:
            tell(Finished((), encoded))
            raise
        return before + after


def account_of(place: Place, finished: Finished, paused: float) -> dict[str, Any]:
    """Counts and times of finished work, for whoever shows or measures them; for so many seconds
    it did nothing, which are in none of its times."""
    suggestion = next(iter(finished.suggestions), None)
    return {
        "uri": place.uri,
        "version": place.version,
        "cancelled": suggestion is None,
        "model": suggestion.model if suggestion else "",
        "confidence": suggestion.confidence if suggestion else 0.0,
        "tokens": asdict(suggestion.tokens) if suggestion else {"encoded": finished.encoded},
        "ms": asdict(suggestion.ms) | {"paused": 1e3 * paused} if suggestion else {},
        "monitors": asdict(suggestion.watched) if suggestion else {},
    }
