"""Answers inline completion: when the model is asked, what is shown, what is told of the work.

Where the cursor stands, and whether anything may be suggested there, is for the server to know.
"""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from lsprotocol import types

from completion.values import CompletionRequest
from lsp_server.documents import Place
from lsp_server.inference_thread import Finished, InferenceThread
from lsp_server.latest_requests import LatestRequests
from lsp_server.settings import Settings

COMPLETED = "$/pirouette/completed"
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
    _latest: LatestRequests = field(default_factory=LatestRequests)

    async def suggest(self, place: Place, settings: Settings, *, by_hand: bool) -> Items:
        """One item or none; several where they are asked for by hand."""
        least = 0.0 if by_hand else settings.minimum_confidence
        if place.erased and not by_hand:
            work = self._remembered_at(place, least)
        else:
            pause = 0.0 if by_hand else settings.debounce_ms / 1000
            most = settings.suggestions if by_hand else 1
            work = self._suggest_at(place, pause, least, most, by_hand=by_hand)
        return await self._latest.run(COMPLETED, place.uri, work) or []

    def call_off(self, uri: str) -> None:
        """End the work for a document whose text or cursor is no longer the one it is for."""
        self.inference.end_idle_work()
        self._latest.call_off(uri)

    async def _suggest_at(
        self, place: Place, pause: float, least: float, most: int, *, by_hand: bool
    ) -> Items:
        """Up to `most` suggestions after a pause in seconds, if the first is confident enough."""
        await asyncio.sleep(pause)
        if not self.inference.ready:
            return []
        request = self.request_of(place)

        def tell_counts(finished: Finished) -> None:
            self.notify(COMPLETED, account_of(place, finished))

        first, *others = await self.inference.complete(request, most, tell_counts, by_hand=by_hand)
        if first.confidence < least:
            first = replace(first, text="")  # nothing that will be accepted
        self.inference.get_ahead(request, first)
        if not self.is_current(place):
            return []
        return [place.item(one.text) for one in (first, *others) if one.text]

    async def _remembered_at(self, place: Place, least: float) -> Items:
        """What was suggested before and still holds. Whoever erases wants no new text, and each
        further key would call it off: the model is left alone."""
        found = await self.inference.remembered(self.request_of(place))
        if found is None or found.confidence < least or not found.text:
            return []
        return [place.item(found.text)]


def account_of(place: Place, finished: Finished) -> dict[str, Any]:
    """Counts and times of finished work, for whoever shows or measures them."""
    suggestion = next(iter(finished.suggestions), None)
    return {
        "uri": place.uri,
        "version": place.version,
        "cancelled": suggestion is None,
        "model": suggestion.model if suggestion else "",
        "confidence": suggestion.confidence if suggestion else 0.0,
        "tokens": asdict(suggestion.tokens) if suggestion else {"encoded": finished.encoded},
        "ms": asdict(suggestion.ms) if suggestion else {},
        "monitors": asdict(suggestion.watched) if suggestion else {},
    }
