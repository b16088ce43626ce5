"""`pirouette bench latency`: how long from a keystroke to a suggestion, as an editor sees it.

First the engines alone, in turns; then traces of typing, played to a real server process and to
the peer, one trace to each before the next; at last how near 8 bits are to float32. Only one of
them computes at a time.
"""

import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

from completion.prompt import Prompt, PromptBuilder
from completion.values import CompletionRequest
from evaluation.agreement import agreements
from evaluation.draft_speed import DraftRace, draft_rows
from evaluation.editor_client import editor, server_command
from evaluation.engine_speed import (
    PROMPT_TOKENS,
    EngineSpeed,
    in_turns,
    own_speed,
    peer_speed,
)
from evaluation.latency_arms import Arm, PeerArm, ServerArm, play
from evaluation.latency_results import PIROUETTE, Timed, agreement_row, engine_row, rows_of
from evaluation.llama_cpp_peer import LlamaCppPeer
from evaluation.provenance import made_here
from evaluation.repositories import Repository
from evaluation.results import BenchResult, Metric, Row, require_writable, write_json_lines
from evaluation.source_folder import write_sources
from evaluation.typing_traces import Trace, TraceStep, draw_traces
from lsp_server.index_command import index_file
from lsp_server.settings import Settings
from models.errors import InputError
from models.language_model import LanguageModel, load_language_model
from models.processor import all_processors
from models.progress import Progress, ProgressCallback
from retrieval.index.schema import forget_database

VARIANTS: Mapping[str, Mapping[str, object]] = {  # of the server, and the settings that make them
    "without monitors": {"monitors": False},
    "without related": {"relatedTokens": 0},
    "with types": {"tokenTypes": True},
}
ONE: Mapping[str, object] = {"suggestions": 1}  # where one is asked for by hand
LEAST_ABOVE = 3  # characters above the cursor for each token of the prompt's budget


@dataclass(frozen=True, slots=True)
class LatencyOptions:
    """How often a suggestion is waited for, on traces drawn with which seed.

    `rounds` are those of the engines alone, `agreements` the prompts on which 8 bits are compared
    with float32. `peer_files` are the quantisations that llama.cpp's server may run, none without
    the peer; `variants` of Pirouette have an arm each.
    `samples` names a JSON-lines file for every time taken.
    """

    limit: int = 120
    seed: int = 0
    rounds: int = 8
    agreements: int = 40
    peer_files: Mapping[str, Path] | None = None
    variants: Sequence[str] = ()
    samples: Path | None = None
    command: str = "pirouette bench latency"


@dataclass(frozen=True, slots=True)
class Played:
    """What was timed over the protocol, and the server's own start and memory."""

    timed: list[Timed]
    first_suggestion_ms: float
    peak_megabytes: float | None


def run_latency(
    options: LatencyOptions,
    model: LanguageModel,
    repositories: Sequence[Repository],
    progress: ProgressCallback,
) -> BenchResult:
    """Time everything; the server that is started runs the model of the same name."""
    if options.samples is not None:
        require_writable(options.samples)
    builder = PromptBuilder.for_model(model, Settings().context_tokens)
    traces = draw_traces(repositories, options.limit, options.seed, LEAST_ABOVE * builder.budget)
    start = draw_traces(repositories, 1, options.seed + 1, LEAST_ABOVE * builder.budget)
    if not (traces and start):
        raise InputError("no trace could be drawn from these repositories; name larger ones")
    with ExitStack() as stack:
        capacity = builder.budget + 2 * Settings().max_tokens
        peers = {
            f"llama.cpp {name}": stack.enter_context(closing(LlamaCppPeer(file, capacity)))
            for name, file in (options.peer_files or {}).items()
        }
        speeds = engine_speeds(model, peers, traces, options.rounds, progress)
        fastest = max(peers, key=lambda name: prefill_rate(speeds[name]), default=None)
        for name in peers.keys() - {fastest}:
            peers[name].close()
        arm = None if fastest is None else PeerArm(fastest, peers[fastest], builder)
        stack.enter_context(all_processors())  # for the client; the model here has nothing to do
        stage = Stage(model.name, repositories, options.variants, arm)
        played = asyncio.run(play_all(stage, traces, start[0], progress))
    if options.samples is not None:
        write_json_lines(options.samples, map(asdict, played.timed))
    rows = [*rows_of(played.timed), *(engine_row(name, made) for name, made in speeds.items())]
    rows.append(start_row(played))
    race = DraftRace(model, builder, Settings().max_tokens)
    rows += draft_rows(race.run([request_of(*one) for one in all_asked(traces)], progress))
    if model.decoder.quantised:
        exact = load_language_model(model.name, model.folder, progress, exact=True)
        prompts = some_prompts(builder, traces, options.agreements)
        rows.append(agreement_row(agreements(exact, model, prompts, progress), options.seed))
    return made_here("latency", options.command, options.seed, rows)


def engine_speeds(
    model: LanguageModel,
    peers: Mapping[str, LlamaCppPeer],
    traces: Sequence[Trace],
    rounds: int,
    progress: ProgressCallback,
) -> dict[str, list[EngineSpeed]]:
    """Pirouette's engine and the peer's quantisations in turns, on real text."""
    text = max((trace.opened for trace in traces), key=len)
    prompt = model.tokenizer.encode(text)[:PROMPT_TOKENS]
    engines: dict[str, Callable[[], EngineSpeed]] = {
        PIROUETTE: partial(own_speed, model, prompt),
        **{name: partial(peer_speed, peer, prompt) for name, peer in peers.items()},
    }
    return in_turns(engines, rounds, progress)


def prefill_rate(reached: Sequence[EngineSpeed]) -> float:
    return engine_row("", reached).metrics["prefill_tokens_per_s"].value


@dataclass(frozen=True, slots=True)
class Stage:
    """The model, the repositories whose sources are there, and who plays."""

    model_name: str
    repositories: Sequence[Repository]
    variants: Sequence[str]
    peer: PeerArm | None


async def play_all(
    stage: Stage, traces: Sequence[Trace], start: Trace, progress: ProgressCallback
) -> Played:
    """Every trace to each arm, the arms taking turns at going first; progress counts steps.

    The server's start is timed up to the first suggestion, which is one in `start`.
    """
    timed: list[Timed] = []
    total = sum(len(trace.asked) for trace in traces)
    command = server_command(["--model", stage.model_name])
    async with AsyncExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pirouette-latency-")))
        stack.callback(forget_database, index_file(root.resolve()))
        for repository in stage.repositories:
            write_sources(repository.files, root)
        started = perf_counter()
        client = await stack.enter_async_context(editor(root, command, options=ONE))
        await client.wait_until_ready()
        server = ServerArm(client, root)
        first_ms = await first_suggestion(server, start, started)
        await client.wait_until_indexed()
        arms: list[Arm] = [server]
        for variant in stage.variants:
            chosen = {**ONE, **VARIANTS[variant]}
            other = await stack.enter_async_context(editor(root, command, options=chosen))
            await other.wait_until_ready()
            arms.append(ServerArm(other, root, f"{PIROUETTE} {variant}"))
        arms += [] if stage.peer is None else [stage.peer]
        first = 0
        for number, trace in enumerate(traces):
            progress(Progress("latency", first, total))
            for arm in arms if number % 2 == 0 else reversed(arms):
                timed += await play(arm, number, trace, first)
            first += len(trace.asked)
        progress(Progress("latency", total, total))
        peak = peak_megabytes(client.server_process)
    return Played(timed, first_ms, peak)


async def first_suggestion(server: ServerArm, trace: Trace, started: float) -> float:
    """Milliseconds from `started` until a suggestion in a text that was never seen, then closed."""
    server.open(-1, trace)
    await server.ask(-1, trace.asked[0])
    elapsed = 1e3 * (perf_counter() - started)
    await server.close()
    return elapsed


def peak_megabytes(process: int | None) -> float | None:
    """The most memory that a process ever had, mapped files included; None where nobody tells."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    _, found, rest = status.partition("VmHWM:")
    return int(rest.split()[0]) / 1024 if found else None


def start_row(played: Played) -> Row:
    metrics = {"ms": Metric(played.first_suggestion_ms)}
    if played.peak_megabytes is not None:
        metrics["peak_megabytes"] = Metric(played.peak_megabytes)
    return Row(PIROUETTE, "cold-start", 1, metrics)


def some_prompts(builder: PromptBuilder, traces: Sequence[Trace], count: int) -> list[Prompt]:
    """Prompts of steps spread evenly over all traces."""
    asked = all_asked(traces)
    chosen = asked[:: max(1, len(asked) // count)][:count]
    return [builder.build(request_of(*one)) for one in chosen]


def all_asked(traces: Sequence[Trace]) -> list[tuple[str, TraceStep]]:
    """The steps of all traces at which the typist waits, each with the path of its file."""
    return [(trace.path, step) for trace in traces for step in trace.asked]


def request_of(path: str, step: TraceStep) -> CompletionRequest:
    return CompletionRequest(path, step.before, step.after)
