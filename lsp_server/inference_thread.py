"""The one thread that runs the model.

Torch uses every core by itself, so a second thread would only slow the first. Work queues here,
is called off by an event that the decode loop and the prefill look at, and never blocks the
protocol.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from completion.api_ranking import FoundApi, by_likelihood
from completion.menu.names import MenuNames
from completion.menu.ranking import RankedName
from completion.pipeline import Completer
from completion.values import CancelCheck, CompletionRequest, Suggestion
from models.errors import Cancelled

logger = logging.getLogger(__name__)

LoadCompleter = Callable[[], Completer]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Finished:
    """How one piece of work ended: suggestions, or none where it was called off.

    `encoded` counts the prompt's tokens that were encoded until then.
    """

    suggestions: Sequence[Suggestion]
    encoded: int


Tell = Callable[[Finished], None]


class InferenceThread:
    """Loads a completer once and completes with it, one request after the other."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inference")
        self._completer: Completer | None = None
        self._idle_work_ended = threading.Event()

    @property
    def ready(self) -> bool:
        return self._completer is not None

    async def load(self, load: LoadCompleter) -> None:
        """Load, or load another in place of the present one; raises what `load` raises."""
        self._completer = None
        self.end_idle_work()

        def work() -> Completer:
            return load()

        self._completer = await asyncio.wrap_future(self._executor.submit(work))

    async def rank_names(
        self, request: CompletionRequest, names: MenuNames, seconds: float
    ) -> list[RankedName]:
        """As the completer's; cancelling the caller calls the work off."""
        completer = self._take_over()

        def work(cancelled: CancelCheck) -> list[RankedName]:
            try:
                return completer.rank_names(request, names, cancelled, seconds)
            except Cancelled:
                return []

        return await self._run(work)

    def get_ahead(self, request: CompletionRequest, shown: Suggestion) -> None:
        """Use the time until the next request to prepare for it."""
        completer = self._completer
        if completer is None:
            return
        ended = self._begin_idle_work()

        def work() -> None:
            try:
                completer.get_ahead(request, shown, ended.is_set)
            except Cancelled:
                pass
            except Exception:
                logger.exception("idle work failed")

        self._executor.submit(work)

    async def order_apis(self, wish: str, found: Sequence[FoundApi]) -> Sequence[int]:
        """The places in `found` in the order that the model gives them; as they are where it is not
        loaded, fails, or is needed for something else meanwhile. Cancelling the caller calls the
        work off."""
        as_they_are, completer = range(len(found)), self._completer
        if completer is None:
            return as_they_are
        ended = self._begin_idle_work()

        def work(cancelled: CancelCheck) -> Sequence[int]:
            try:
                return by_likelihood(
                    completer.model, wish, found, lambda: cancelled() or ended.is_set()
                )
            except Cancelled:
                pass
            except Exception:
                logger.exception("APIs were not put in order")
            return as_they_are

        return await self._run(work)

    def _begin_idle_work(self) -> threading.Event:
        """In place of what was under way; the event says that it must end."""
        self.end_idle_work()
        self._idle_work_ended = threading.Event()
        return self._idle_work_ended

    def end_idle_work(self) -> None:
        """Have the model free within a layer or a token."""
        self._idle_work_ended.set()

    def close(self, document: str) -> None:
        """Give up what is kept for a document that is closed."""
        if (completer := self._completer) is not None:
            self._executor.submit(completer.close, document)

    async def remembered(self, request: CompletionRequest) -> Suggestion | None:
        """As the completer's."""
        completer = self._take_over()
        return await asyncio.wrap_future(self._executor.submit(completer.remembered, request))

    async def prepare(self, request: CompletionRequest, tell: Tell) -> int:
        """As the completer's; cancelling the caller calls the work off, and has it told."""
        completer = self._take_over()

        def work(cancelled: CancelCheck) -> Finished | int:
            try:
                encoded = completer.prepare(request, cancelled)
            except Cancelled as called_off:
                return Finished((), called_off.encoded)
            return Finished((), encoded) if cancelled() else encoded

        def tell_of_end(ended: Finished | int) -> None:
            if isinstance(ended, Finished):
                tell(ended)

        ended = await self._run(work, tell_of_end)
        if isinstance(ended, Finished):
            raise asyncio.CancelledError
        return ended

    async def complete(
        self, request: CompletionRequest, most: int, tell: Tell, *, by_hand: bool
    ) -> Sequence[Suggestion]:
        """Up to `most` suggestions for `request`, which may have been asked for by hand; cancelling
        the caller calls the work off. It is told how it ended, once it really has.
        """
        completer = self._take_over()
        complete = completer.complete_by_hand if by_hand else completer.complete_several

        def work(cancelled: CancelCheck) -> Finished:
            try:
                suggestions = complete(request, most, cancelled)
            except Cancelled as called_off:
                return Finished((), called_off.encoded)
            return Finished(suggestions, suggestions[0].tokens.encoded)

        finished = await self._run(work, tell)
        if not finished.suggestions:
            raise asyncio.CancelledError
        return finished.suggestions

    def _take_over(self) -> Completer:
        """The completer, whose idle work is ended. What needs it is called off while it is being
        replaced."""
        if self._completer is None:
            raise asyncio.CancelledError
        self.end_idle_work()
        return self._completer

    async def _run(
        self, work: Callable[[CancelCheck], T], tell: Callable[[T], None] | None = None
    ) -> T:
        """What work on the thread comes to; cancelling the caller calls it off.

        `tell` is called on the event loop with that once the work has really ended, which for a
        cancelled caller is up to one chunk of prefill later.
        """
        loop = asyncio.get_running_loop()
        called_off = threading.Event()

        def report(future: Future[T]) -> None:
            if tell is not None and not future.cancelled() and future.exception() is None:
                loop.call_soon_threadsafe(tell, future.result())

        future = self._executor.submit(work, called_off.is_set)
        future.add_done_callback(report)
        try:
            return await asyncio.shield(asyncio.wrap_future(future))
        except asyncio.CancelledError:
            called_off.set()
            future.cancel()
            raise
