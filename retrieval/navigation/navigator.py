"""The near side of the navigation process: asked by an event loop, which never waits for it.

The process is started by the first question and ended once nothing has been asked for a while.
Whatever goes wrong, a question ends in None.
"""

import asyncio
import logging
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from retrieval.analyst.child import Child, ChildLine, Worker
from retrieval.navigation.questions import Found, Question, Sent, found_from, question_to

logger = logging.getLogger(__name__)

START_SECONDS = 30.0  # that a start may take on a busy machine
GRACE = 1.0  # seconds beyond a question's time, after which the process counts as frozen
IDLE_SECONDS = 300.0
FIRST_PAUSE = 0.5  # seconds before a crashed process is started again, doubled with each crash
LONGEST_PAUSE = 60.0
LOW_PRIORITY = 5  # suggestions go first


def navigation_worker(environment: str | None = None) -> Worker:
    """`environment` is a folder or interpreter that the user named."""
    return Worker("retrieval.navigation.worker", {"environment": environment})


@dataclass(slots=True)
class Navigator:
    """Asks one question at a time, in the order in which they come.

    A question whose asker is cancelled is withdrawn from the process. To be used in one event loop.
    """

    worker: Worker = field(default_factory=navigation_worker)
    idle_seconds: float = IDLE_SECONDS
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _child: Child | None = None
    _ready: asyncio.Event = field(default_factory=asyncio.Event)
    _number: int = 0
    _reply: "asyncio.Future[dict[str, Any] | None] | None" = None
    _resting: asyncio.TimerHandle | None = None
    _crashes: int = 0  # one after the other, without an answer between them
    _start_at: float = 0.0
    _closed: bool = False

    @property
    def process_id(self) -> int | None:
        """Of the process, while it runs."""
        return None if self._child is None else self._child.process_id

    async def ask(self, question: Question, seconds: float) -> Found | None:
        """What is found within `seconds` of work; None where there is no answer, for any reason."""
        async with self._turn:
            if self._resting is not None:
                self._resting.cancel()
            try:
                return await self._ask(question, seconds)
            finally:
                loop = asyncio.get_running_loop()
                self._resting = loop.call_later(self.idle_seconds, self._end)

    def close(self) -> None:
        """End the process for good; whoever asks gets None."""
        self._closed = True
        if self._resting is not None:
            self._resting.cancel()
        self._end()

    async def _ask(self, question: Question, seconds: float) -> Found | None:
        child = await self._running()
        if child is None:
            return None
        self._number += 1
        self._reply = asyncio.get_running_loop().create_future()
        child.send(question_to(Sent(self._number, seconds, question)))
        try:
            async with asyncio.timeout(seconds + GRACE):
                message = await self._reply
        except TimeoutError:
            self._mourn("does not answer")
            return None
        except asyncio.CancelledError:
            child.send({"withdrawn": self._number})
            raise
        finally:
            self._reply = None
        if message is None:
            return None
        if message["problem"]:
            logger.debug("nothing was found: %s", message["problem"])
        return found_from(message["found"])

    async def _running(self) -> Child | None:
        """The process once it is ready; None where it cannot be."""
        if self._closed or (self._child is None and time.monotonic() < self._start_at):
            return None
        if self._child is None:
            loop = asyncio.get_running_loop()
            self._ready.clear()
            self._child = Child.start(
                self.worker, lambda line: tell(loop, lambda: self._hear(line))
            )
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._child.process_id, LOW_PRIORITY)
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._ready.wait()
        except TimeoutError:
            self._mourn("does not start")
        return self._child

    def _hear(self, line: ChildLine) -> None:
        if self._child is None or line.process_id != self._child.process_id:
            return  # the last words of a process that is gone
        if line.message is None:
            self._mourn("ended")
        elif "ready" in line.message:
            self._ready.set()
        elif line.message.get("id") == self._number and self._reply is not None:
            self._crashes = 0
            if not self._reply.done():
                self._reply.set_result(line.message)

    def _mourn(self, reason: str) -> None:
        """The process is gone or frozen; another one is started later."""
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._crashes)
        self._crashes += 1
        self._start_at = time.monotonic() + pause
        logger.warning("the navigation process %s (%d in a row)", reason, self._crashes)
        self._end()

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end()
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(None)
        self._ready.set()  # whoever waits for it sees that there is none


def tell(loop: asyncio.AbstractEventLoop, what: Any) -> None:
    """Have something called by a loop, unless that has ended."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(what)
