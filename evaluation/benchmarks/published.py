"""`pirouette bench` for benchmarks with published files: every arm at the same tasks.

It owns which arms there are, what they are asked, and the order of the run: task by task, so that
arms stand side by side and a run that was cut off can go on. How tasks are read, asked and judged
is said by their protocol.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from completion.pipeline import Completer, CompletionOptions
from completion.values import CompletionRequest
from evaluation.http_engine import HttpEngine, PeerEndpoint
from evaluation.kept_results import KeptResults
from evaluation.provenance import made_here, run_name
from evaluation.published_results import Attempt, rows_of
from evaluation.results import BenchResult, require_writable
from evaluation.tasks import CROSS_FILE, BuildPrompt, Completion, Protocol, Task
from evaluation.transformers_peer import TransformersPeer
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback

CompleteTask = Callable[[CompletionRequest], Completion]
PIROUETTE, TRANSFORMERS = "pirouette", "transformers"
SPARE_TOKENS = 64  # beside a prompt that was cut to size: markers, and words that are cut in two


@dataclass(frozen=True, slots=True)
class PublishedOptions:
    """What a user may choose for one run.

    `data` is the benchmark's file or folder, `limit` the number of tasks, all if None; which ones
    is drawn by `seed`, which is the bootstrap's too. Decoding is greedy. Besides Pirouette's own
    pipeline there may be plain `transformers`, and a peer at an endpoint. `context_tokens` takes
    the place of the protocol's. `samples` is a JSON-lines file of every attempt, from which a run
    that was cut off goes on. `command` is reported as what makes the run again.
    """

    data: Path
    limit: int | None = None
    seed: int = 0
    transformers: bool = False
    endpoint: PeerEndpoint | None = None
    context_tokens: int | None = None
    samples: Path | None = None
    command: str = "pirouette bench"


def run_published(
    protocol: Protocol,
    options: PublishedOptions,
    load: Callable[[], LanguageModel],
    progress: ProgressCallback,
) -> BenchResult:
    """Let each arm answer every task; progress counts tasks.

    Raises `InputError` for data, files and peers that cannot be used, before the model is loaded,
    and `CannotRunProgramsError` where no generated program may be run.
    """
    tasks = protocol.read(options.data)
    limit = len(tasks) if options.limit is None else options.limit
    if limit < 1:
        raise InputError(f"the limit is {limit}, but at least one task must be run")
    tasks = with_context(protocol, protocol.choose(tasks, limit, options.seed), progress)
    if options.samples is not None:
        require_writable(options.samples)
    peer = None
    if options.endpoint is not None:
        peer = HttpEngine(options.endpoint, protocol.answer_tokens).ready()
    model = load()
    context_tokens = options.context_tokens or protocol.context_tokens
    settings = CompletionOptions(
        context_tokens=context_tokens + SPARE_TOKENS, max_tokens=protocol.answer_tokens
    )
    completer = Completer(model, settings)
    engines: dict[str, CompleteTask] = {PIROUETTE: partial(complete_with, completer)}
    if options.transformers:
        engines[TRANSFORMERS] = TransformersPeer(completer).complete
    if peer is not None:
        engines[peer.endpoint.kind] = peer.complete
    prompts = prompts_for(protocol, tasks)
    asked = Asked(protocol, prompts, engines, model, context_tokens)
    arms = [f"{engine} {prompt}" for engine in engines for prompt in prompts]
    # Files of one benchmark have the same tasks with other code before them.
    bench = f"{protocol.name} {options.data.resolve().name}"
    run = f"{run_name(bench, model, arms)}, {context_tokens} tokens"
    if peer is not None and peer.model:
        run += f", {peer.model}"
    kept = KeptResults(options.samples, run, Attempt)
    attempts: list[Attempt] = []
    for done, task in enumerate(tasks):
        progress(Progress(protocol.name, done, len(tasks)))
        attempts += kept.get(task.task_id, partial(asked.attempts, task))
    progress(Progress(protocol.name, len(tasks), len(tasks)))
    return made_here(protocol.name, options.command, options.seed, rows_of(attempts, options.seed))


def with_context(
    protocol: Protocol, tasks: Sequence[Task], progress: ProgressCallback
) -> list[Task]:
    found: list[Task] = []
    for task in tasks:
        progress(Progress("looking into other files", len(found), len(tasks)))
        found.append(protocol.find_context(task))
    return found


def prompts_for(protocol: Protocol, tasks: Sequence[Task]) -> Mapping[str, BuildPrompt]:
    """The ways to ask, without that of other files where none of them are known."""
    some = any(task.context for task in tasks)
    several = len(protocol.prompts) > 1
    return {
        name: build
        for name, build in protocol.prompts.items()
        if some or name != CROSS_FILE or not several
    }


@dataclass(frozen=True, slots=True)
class Asked:
    """All engines, and all ways in which they are asked."""

    protocol: Protocol
    prompts: Mapping[str, BuildPrompt]
    engines: Mapping[str, CompleteTask]
    model: LanguageModel
    context_tokens: int

    def attempts(self, task: Task) -> Iterator[Attempt]:
        for name, build in self.prompts.items():
            request = CompletionRequest(
                document=f"{task.task_id}/{name}",
                before=build(task, self.model.tokenizer, self.context_tokens),
                after=task.suffix,
                single_line=task.single_line,
                path=task.path,
                language=task.language,
            )
            for engine, complete in self.engines.items():
                completion = complete(request)
                verdict = self.protocol.judge(task, completion.text)
                yield Attempt(
                    engine=engine,
                    prompt=name,
                    task_id=task.task_id,
                    part=task.part,
                    completion=completion.text,
                    answer=verdict.answer,
                    truth=task.truth,
                    tokens=completion.tokens,
                    scores=verdict.scores,
                    note=verdict.note,
                )


def complete_with(completer: Completer, request: CompletionRequest) -> Completion:
    """Pirouette's own pipeline, from prompt to clean-up, without anything kept for later."""
    suggestion = completer.complete(request)
    completer.close(request.document)
    return Completion(suggestion.text, suggestion.tokens.generated)
