"""Requests of which only the latest counts: of one kind, for one document."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class LatestRequests:
    """The work under way for the documents of one session."""

    _under_way: dict[tuple[str, str], "asyncio.Task[Any]"] = field(default_factory=dict)

    async def run(self, kind: str, uri: str, work: Coroutine[Any, Any, T]) -> T | None:
        """What the work comes to; None once it is called off, or another one takes its place."""
        key = kind, uri
        if (before := self._under_way.pop(key, None)) is not None:
            before.cancel()
        task = asyncio.create_task(work)
        self._under_way[key] = task
        try:
            return await task
        except asyncio.CancelledError:
            handler = asyncio.current_task()
            if handler is not None and handler.cancelling():
                task.cancel()
                raise  # the client withdrew the request
            return None
        finally:
            if self._under_way.get(key) is task:
                del self._under_way[key]

    def call_off(self, uri: str) -> None:
        """End all work for a document whose text has changed."""
        for key in [key for key in self._under_way if key[1] == uri]:
            self._under_way.pop(key).cancel()
