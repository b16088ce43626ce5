"""The two that a trace of typing is played to: Pirouette's server, and llama.cpp's.

Both see the same texts at the same moments and are given the same pauses.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Protocol

from lsprotocol.types import Range

from completion.context_budget import NO_EDGES, Edges
from completion.prompt import PromptBuilder
from completion.values import CompletionRequest
from evaluation.editor_client import EditorClient
from evaluation.latency_results import PIROUETTE, Timed
from evaluation.llama_cpp_peer import LlamaCppPeer
from evaluation.typing_traces import Trace, TraceStep, change_between
from lsp_server.settings import Settings
from lsp_server.text_buffer import TextBuffer


class Arm(Protocol):
    """Whoever is asked while somebody types."""

    def open(self, number: int, trace: Trace) -> None:
        """Begin the trace of that number."""

    def pass_by(self, step: TraceStep) -> None:
        """A step after which the typist goes on at once."""

    async def ask(self, number: int, step: TraceStep) -> Timed:
        """The step of that number among all, after which the typist waits for a suggestion."""

    async def close(self) -> None:
        """End the trace, and all work for it."""


async def play(arm: Arm, number: int, trace: Trace, first: int) -> list[Timed]:
    """All that was waited for in a trace; its steps are numbered from `first` on."""
    timed: list[Timed] = []
    arm.open(number, trace)
    for step in trace.steps:
        if step.asked:
            timed.append(await arm.ask(first + len(timed), step))
        else:
            arm.pass_by(step)
        await asyncio.sleep(step.pause_ms / 1e3)
    await arm.close()
    return timed


@dataclass(slots=True)
class ServerArm:
    """`pirouette serve` behind an editor's client.

    A trace is typed in the file that it is made of, in the folder `root` of the repositories'
    sources, where it is the only file that is not read from the disk. Each step sends its change
    and a request; the requests of those that are passed by are superseded, or answered while the
    typist types on.
    """

    client: EditorClient
    root: Path
    name: str = PIROUETTE
    _uri: str = ""
    _buffer: TextBuffer = field(default_factory=lambda: TextBuffer(""))
    _passed_by: list["asyncio.Task[str]"] = field(default_factory=list)

    def open(self, number: int, trace: Trace) -> None:  # noqa: ARG002 - told by its file
        self._uri = (self.root / trace.path).as_uri()
        self._buffer = TextBuffer(trace.opened)
        self.client.open(self._uri, trace.opened)

    def pass_by(self, step: TraceStep) -> None:
        self._change_to(step)
        position = self._buffer.position(len(step.before))
        self._passed_by.append(asyncio.create_task(self.client.ask(self._uri, position)))

    async def ask(self, number: int, step: TraceStep) -> Timed:
        started = perf_counter()
        erased = self._change_to(step)
        sent = perf_counter()
        position = self._buffer.position(len(step.before))
        answer = await self.client.suggest(self._uri, position, by_hand=erased)
        tokens, ms = answer.completed["tokens"], answer.completed["ms"]
        return Timed(
            arm=self.name,
            step=number,
            kind=step.kind,
            ms=1e3 * (sent - started) + answer.milliseconds,
            debounce=ms["paused"],
            first_token=ms["first_token"],
            first_line=ms["first_line"],
            total=ms["total"],
            writing=ms["total"] - ms["context"] - ms["cache"],
            prompt=tokens["prompt"],
            encoded=tokens["encoded"],
            generated=tokens["generated"],
            text=answer.text,
            passes=tokens["passes"],
            context=ms["context"],
            cache=ms["cache"],
            reused=tokens["prompt"] == 0,
        )

    async def close(self) -> None:
        await asyncio.gather(*self._passed_by)
        self._passed_by.clear()
        self.client.close(self._uri)

    def _change_to(self, step: TraceStep) -> bool:
        """Whether text was taken away and nothing else, after which a server only suggests by
        hand."""
        change = change_between(self._buffer.text, step.text)
        if change is None:
            return False
        position = self._buffer.position
        changed = Range(position(change.start), position(change.end))
        self.client.replace(self._uri, changed, change.text)
        self._buffer.replace(changed, change.text)
        return not change.text


@dataclass(slots=True)
class PeerArm:
    """llama.cpp's server, given the token ids of Pirouette's prompts, to write a line.

    It is asked only where the typist waits, after the same debounce, so that it never has to
    finish work that nobody wants; its prompts are built before the clock starts.
    """

    name: str
    peer: LlamaCppPeer
    builder: PromptBuilder
    _document: str = ""
    _edges: Edges = NO_EDGES

    def open(self, number: int, trace: Trace) -> None:  # noqa: ARG002 - it is told no texts
        self._document, self._edges = f"trace_{number}.py", NO_EDGES

    def pass_by(self, step: TraceStep) -> None: ...

    async def ask(self, number: int, step: TraceStep) -> Timed:
        request = CompletionRequest(self._document, step.before, step.after)
        built = self.builder.build(request, self._edges)
        prompt, self._edges = built.whole, built.edges
        debounce = Settings().debounce_ms
        started = perf_counter()
        await asyncio.sleep(debounce / 1e3)
        called = perf_counter()
        served = self.peer.complete(prompt, Settings().max_tokens)
        ended = perf_counter()
        total = 1e3 * (ended - called)
        return Timed(
            arm=self.name,
            step=number,
            kind=step.kind,
            ms=1e3 * (ended - started),
            debounce=debounce,
            first_token=served.ms,
            first_line=total,  # it stops there
            total=total,
            writing=served.writing_ms,
            prompt=len(prompt),
            encoded=served.encoded,
            generated=served.written,
            text=served.text,
        )

    async def close(self) -> None: ...
