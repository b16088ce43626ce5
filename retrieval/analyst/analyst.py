"""The near side of the analyst: questions go to one child process, answers come back as futures.

One thread owns the child and does everything that touches it; whoever asks only puts a question
into that thread's inbox, so nothing here ever waits for the child but that thread. Whatever goes
wrong, a question ends in None within its time, and is counted. This module must not know
who it is that answers.
"""

import logging
import queue
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

from retrieval.analyst import messages
from retrieval.analyst.answer_cache import AnswerCache
from retrieval.analyst.child import Child, ChildLine, Worker, jedi_worker
from retrieval.analyst.questions import Answer, Question

logger = logging.getLogger(__name__)

Reply = Future[Answer | None]

MOST_WAITING = 8
FIRST_PAUSE = 0.25  # seconds before a crashed child is started again, doubled with each crash
LONGEST_PAUSE = 60.0
MOST_CRASHES = 6  # one after the other, without an answer between them


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the questions: `unanswered` ones had no answer or were pushed out."""

    asked: int = 0
    cached: int = 0
    answered: int = 0
    unanswered: int = 0
    timed_out: int = 0
    crashed: int = 0


@dataclass(slots=True)
class Asked:
    """One open question, and until when its answer is of use."""

    question: Question
    reply: Reply
    until: float


@dataclass(frozen=True, slots=True)
class Closing:
    """The last thing that comes into the inbox."""


@dataclass(slots=True)
class InHand:
    """The question that the child works on: the asked one may have been let go already."""

    number: int
    question: Question
    asked: Asked | None
    frozen_at: float


@dataclass(slots=True)
class ProcessAnalyst:
    """Answers questions in a process of its own: with jedi, or whatever `worker` asks.

    `timeout` is how long an asker waits at most, `patience` how long the child may work on a
    question: what comes too late for its asker still serves whoever asks again.
    """

    timeout: float = 1.0
    patience: float = 6.0
    worker: Worker = field(default_factory=jedi_worker)
    _inbox: "queue.Queue[Asked | ChildLine | Closing]" = field(default_factory=queue.Queue)
    _cache: AnswerCache = field(default_factory=AnswerCache)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _counts: Counts = field(default_factory=Counts)
    _warm: threading.Event = field(default_factory=threading.Event)
    _closed: bool = False
    _waiting: list[Asked] = field(default_factory=list)
    _in_hand: InHand | None = None
    _child: Child | None = None
    _thread: threading.Thread | None = None
    _crashes: int = 0
    _start_at: float = 0.0
    _number: int = 0

    def start(self) -> None:
        """Start the child without waiting for it; asking does so as well."""
        with self._lock:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, daemon=True, name="analyst")
                self._thread.start()

    def ask(self, question: Question) -> Reply:
        """Return at once; the future has its result, if only None, within `timeout`."""
        reply: Reply = Future()
        self._count(asked=1)
        if (known := self._cache.get(question, time.monotonic())) is not None:
            self._count(cached=1)
            reply.set_result(known.answer)
        elif self._closed:
            self._count(unanswered=1)
            reply.set_result(None)
        else:
            self.start()
            self._inbox.put(Asked(question, reply, time.monotonic() + self.timeout))
        return reply

    @property
    def counts(self) -> Counts:
        with self._lock:
            return self._counts

    @property
    def process_id(self) -> int | None:
        """Of the child, while it runs."""
        child = self._child
        return None if child is None else child.process_id

    def wait_until_warm(self, seconds: float) -> bool:
        """For whoever has the time, such as a benchmark: whether the child is ready by then."""
        self.start()
        return self._warm.wait(seconds)

    def close(self) -> None:
        """End the child for good; every open question gets None."""
        with self._lock:
            self._closed, thread = True, self._thread
        self._inbox.put(Closing())
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=5)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # What follows runs on the analyst's own thread only.

    def _run(self) -> None:
        try:
            while True:
                self._start_child_when_due()
                try:
                    event = self._inbox.get(timeout=self._until_next_event())
                except queue.Empty:
                    event = None
                if isinstance(event, Closing):
                    return
                if isinstance(event, Asked):
                    self._take(event)
                elif isinstance(event, ChildLine):
                    self._hear(event)
                self._let_go_of_late_ones(time.monotonic())
                self._hand_over()
        except Exception:
            logger.exception("the analyst has stopped")
        finally:
            self._finish()

    def _until_next_event(self) -> float | None:
        moments = [asked.until for asked in self._waiting]
        if self._in_hand is not None:
            moments.append(self._in_hand.frozen_at)
            if self._in_hand.asked is not None:
                moments.append(self._in_hand.asked.until)
        if self._child is None and not self._given_up:
            moments.append(self._start_at)
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    @property
    def _given_up(self) -> bool:
        return self._crashes >= MOST_CRASHES

    def _start_child_when_due(self) -> None:
        if self._child is None and not self._given_up and time.monotonic() >= self._start_at:
            self._child = Child.start(self.worker, self._inbox.put)

    def _take(self, asked: Asked) -> None:
        if self._given_up:
            self._resolve(asked, None, unanswered=1)
            return
        self._waiting.append(asked)
        if len(self._waiting) > MOST_WAITING:  # the oldest question is worth least
            self._resolve(self._waiting.pop(0), None, unanswered=1)

    def _hand_over(self) -> None:
        """Give the newest question to a child that has nothing to do."""
        if self._child is None or not self._child.ready:
            return
        while self._in_hand is None and self._waiting:
            asked = self._waiting.pop()
            if asked.reply.cancelled():
                self._count(unanswered=1)
                continue
            if (known := self._cache.get(asked.question, time.monotonic())) is not None:
                self._resolve(asked, known.answer, cached=1)
                continue
            self._number += 1
            # A child that keeps its own time limit answers before this moment.
            frozen_at = time.monotonic() + 1.5 * self.patience + 1.0
            self._in_hand = InHand(self._number, asked.question, asked, frozen_at)
            self._child.send(
                {
                    "id": self._number,
                    "seconds": self.patience,
                    "question": messages.question_to(asked.question),
                }
            )

    def _hear(self, line: ChildLine) -> None:
        if self._child is None or line.process_id != self._child.process_id:
            return  # the last words of a child that is gone
        if line.message is None:
            self._mourn("ended")
        elif "ready" in line.message:
            self._child.ready = True
            self._warm.set()
        elif self._in_hand is not None and line.message.get("id") == self._in_hand.number:
            self._conclude(line.message)

    def _conclude(self, message: dict[str, Any]) -> None:
        assert self._in_hand is not None
        answer = messages.answer_from(message["answer"])
        self._crashes = 0
        if message["problem"]:
            logger.debug("no analysis: %s", message["problem"])
        if message["problem"] != messages.OUT_OF_TIME:  # what was read by then makes it faster
            self._cache.put(self._in_hand.question, answer, time.monotonic())
        asked, self._in_hand = self._in_hand.asked, None
        if asked is not None:
            self._resolve(asked, answer, **{"unanswered" if answer is None else "answered": 1})

    def _let_go_of_late_ones(self, now: float) -> None:
        for asked in [asked for asked in self._waiting if asked.until <= now]:
            self._waiting.remove(asked)
            self._resolve(asked, None, timed_out=1)
        hand = self._in_hand
        if hand is None:
            return
        if hand.asked is not None and hand.asked.until <= now:
            self._resolve(hand.asked, None, timed_out=1)
            hand.asked = None
        if hand.frozen_at <= now:
            self._mourn("does not answer")

    def _mourn(self, reason: str) -> None:
        """The child is gone or frozen: never ask its last question again, and start anew later."""
        assert self._child is not None
        self._count(crashed=1)
        hand, self._in_hand = self._in_hand, None
        self._child.end()
        self._child = None
        self._warm.clear()
        if hand is not None:
            self._cache.put(hand.question, None, time.monotonic())
            if hand.asked is not None:
                self._resolve(hand.asked, None)
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._crashes)
        self._crashes += 1
        self._start_at = time.monotonic() + pause
        logger.warning("the analysis process %s (%d in a row)", reason, self._crashes)
        if self._given_up:
            for asked in self._waiting:
                self._resolve(asked, None, unanswered=1)
            self._waiting.clear()

    def _resolve(self, asked: Asked, answer: Answer | None, **counts: int) -> None:
        self._count(**counts)
        if asked.reply.set_running_or_notify_cancel():
            asked.reply.set_result(answer)

    def _finish(self) -> None:
        self._closed = True
        if self._child is not None:
            self._child.end()
            self._child = None
        left = self._waiting + (
            [self._in_hand.asked] if self._in_hand and self._in_hand.asked else []
        )
        self._waiting, self._in_hand = [], None
        for asked in left:
            self._resolve(asked, None, unanswered=1)
        while True:
            try:
                event = self._inbox.get_nowait()
            except queue.Empty:
                return
            if isinstance(event, Asked):
                self._resolve(event, None, unanswered=1)

    def _count(self, **more: int) -> None:
        with self._lock:
            self._counts = replace(
                self._counts, **{name: getattr(self._counts, name) + n for name, n in more.items()}
            )
