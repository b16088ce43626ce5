"""`pirouette bench latency`: from keystroke to suggestion, through the protocol.

A typing trace is played to the real server process, which is asked after each change and given a
moment's rest before the next one, as a typist gives it. A peer is then asked about the same prompts
in the same order, for as many tokens as Pirouette wrote, so that both do the same work.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, quantiles
from time import perf_counter

from completion.prompt import PromptBuilder
from completion.values import CompletionRequest
from evaluation.editor_client import (
    READY_SECONDS,
    EditorClient,
    editor,
    position_of,
    server_command,
)
from evaluation.llama_cpp_peer import LlamaCppPeer
from evaluation.provenance import own_commit, this_machine
from evaluation.repositories import Repository
from evaluation.results import BenchResult, Metric, Row
from evaluation.typing_traces import Moment, Trace, draw_traces
from models.errors import PirouetteError
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback

REST_SECONDS = 0.3  # between a suggestion and the next keystroke


@dataclass(frozen=True, slots=True)
class LatencyOptions:
    """How many traces, drawn with which seed; the peer's model file, where it takes part."""

    limit: int = 12
    seed: int = 0
    llama_cpp: Path | None = None
    command: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: the change before it, and milliseconds until its answer, by stage too.

    `written` tokens took `passes` through the model after the prompt was read.
    """

    arm: str
    kind: str
    ms: float
    prompt_ms: float
    decode_ms: float
    encoded: int
    written: int
    passes: int


def run_latency(
    options: LatencyOptions,
    model: LanguageModel,
    repositories: Sequence[Repository],
    progress: ProgressCallback,
) -> BenchResult:
    traces = draw_traces(repositories, options.limit, options.seed)
    asked = asyncio.run(play_all(options, model, traces, progress))
    return BenchResult(
        bench="latency",
        commit=own_commit(),
        machine=this_machine(),
        command=options.command,
        seed=options.seed,
        rows=tuple(rows_of(asked)),
    )


async def play_all(
    options: LatencyOptions,
    model: LanguageModel,
    traces: Sequence[Trace],
    progress: ProgressCallback,
) -> list[Asked]:
    """Each trace by Pirouette, then by the peer, so that both see the same machine."""
    prompts = PromptBuilder.for_model(model, CompletionOptions().context_tokens)
    peer = None
    if options.llama_cpp is not None:
        peer = LlamaCppPeer(options.llama_cpp, prompts.budget + CompletionOptions().max_tokens)
    asked: list[Asked] = []
    with TemporaryDirectory() as root:
        async with editor(Path(root), server_command(["--model", model.name])) as client:
            await asyncio.wait_for(client.heard.ready.wait(), READY_SECONDS)
            if client.heard.failure:
                raise PirouetteError(client.heard.failure)
            for number, trace in enumerate(traces):
                progress(Progress("typing", number, len(traces)))
                own = await play(client, Path(root), trace)
                asked += own
                if peer is not None:
                    asked += ask_peer(peer, prompts, trace, own)
    progress(Progress("typing", len(traces), len(traces)))
    return asked


async def play(client: EditorClient, root: Path, trace: Trace) -> list[Asked]:
    """Type a trace into the editor."""
    uri = (root / trace.document.replace("/", "-")).as_uri()
    client.open(uri, trace.text)
    text = trace.text
    asked: list[Asked] = []
    for moment in trace.moments:
        new = moment.before + moment.after
        started = perf_counter()
        if new != text:
            client.change(uri, text, new)
        answer = await client.suggest(uri, position_of(new, len(moment.before)), invoked=True)
        elapsed = 1e3 * (perf_counter() - started)
        text = new
        asked.append(own_account(moment, elapsed, answer.completed))
        await asyncio.sleep(REST_SECONDS)
    client.close(uri)
    return asked


def own_account(moment: Moment, elapsed: float, completed: Mapping[str, Any]) -> Asked:
    tokens, ms = completed["tokens"], completed["ms"]
    return Asked(
        arm="pirouette",
        kind=moment.kind,
        ms=elapsed,
        prompt_ms=ms["context"] + ms["cache"],
        decode_ms=ms["total"] - ms["context"] - ms["cache"],
        encoded=tokens["encoded"],
        written=tokens["generated"],
        passes=tokens["generated"] - tokens["accepted"],
    )


def ask_peer(
    peer: LlamaCppPeer, prompts: PromptBuilder, trace: Trace, own: Sequence[Asked]
) -> list[Asked]:
    """The same prompts, for as many tokens; none where Pirouette had no need of its model."""
    asked: list[Asked] = []
    for moment, ours in zip(trace.moments, own, strict=True):
        request = CompletionRequest(trace.document, moment.before, moment.after)
        prompt = prompts.build(request)
        written = ours.written or 
        served = peer.write([*prompt.tokens, *prompt.rewritten], ours.written)
