"""`pirouette bench infilling`: the same missing lines for every arm, judged by running the tests.

It owns which arms there are and the order of the run; the tasks and the judging are those of
`evaluation.infilling`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from completion.pipeline import Completer
from completion.values import CompletionRequest
from evaluation.infilling import (
    Attempt,
    Completion,
    InfillingTask,
    compare,
    program_of,
    read_tasks,
    sample_record,
    score,
)
from evaluation.programs import run_program
from evaluation.provenance import made_here
from evaluation.results import BenchResult, require_writable, write_json_lines
from evaluation.transformers_peer import TransformersPeer
from models.errors import InputError
from models.progress import Progress, ProgressCallback

CompleteLine = Callable[[CompletionRequest], Completion]


@dataclass(frozen=True, slots=True)
class InfillingOptions:
    """What a user may choose for one run.

    `data` is the task file or its folder, `limit` the number of tasks, all if None. `seed` is that
    of the bootstrap and of which tasks of several lines are run; decoding is greedy. `samples` is
    a JSON-lines file for every attempt. `command` is reported as what makes the run again.
    """

    data: Path
    limit: int | None = None
    seed: int = 0
    arms: tuple[str, ...] = ("pirouette",)
    samples: Path | None = None
    command: str = "pirouette bench infilling"


def run_infilling(
    options: InfillingOptions, load: Callable[[], Completer], progress: ProgressCallback
) -> BenchResult:
    """Let each arm complete every task, run the results, and score them.

    With two arms a third row gives the paired difference, first less second. Progress counts
    attempts: tasks times arms. Raises `InputError` for options that cannot be used, before the
    model is loaded, and `CannotRunProgramsError` where no generated program may be run.
    """
    arms = choose_arms(options.arms)
    tasks = read_tasks(options.data, options.limit, options.seed)
    if options.samples is not None:
        require_writable(options.samples)
    completer = load()
    attempts: dict[str, list[Attempt]] = {}
    for number, (name, make) in enumerate(arms.items()):

        def report(done: int, before: int = number * len(tasks)) -> None:
            progress(Progress("infilling", before + done, len(arms) * len(tasks)))

        attempts[name] = attempt_all(name, make(completer), tasks, report)
    if options.samples is not None:
        made = (attempt for arm in attempts.values() for attempt in arm)
        write_json_lines(options.samples, map(sample_record, made))
    rows = [score(name, made, options.seed) for name, made in attempts.items()]
    if len(attempts) == 2:
        first, second = attempts.values()
        rows.append(compare(first, second, options.seed))
    return made_here("infilling", options.command, options.seed, rows)


def attempt_all(
    arm: str,
    complete: CompleteLine,
    tasks: tuple[InfillingTask, ...],
    report: Callable[[int], None],
) -> list[Attempt]:
    """Complete and run each task in order; `report` gets the number of tasks done, from 0 on."""
    attempts: list[Attempt] = []
    report(0)
    for task in tasks:
        completion = complete(request_of(task))
        outcome = run_program(program_of(task, completion.text))
        attempts.append(Attempt(arm, task, completion, outcome))
        report(len(attempts))
    return attempts


def request_of(task: InfillingTask) -> CompletionRequest:
    """The prompt and the suffix exactly as published, so that figures compare with others'."""
    return CompletionRequest(
        document=task.task_id,
        before=task.prompt,
        after=task.suffix,
        single_line=task.single_line,
    )


def pirouette_arm(completer: Completer) -> CompleteLine:
    """Pirouette's own pipeline, from prompt to clean-up."""

    def complete(request: CompletionRequest) -> Completion:
        suggestion = completer.complete(request)
        return Completion(suggestion.text, suggestion.tokens.generated)

    return complete


def transformers_arm(completer: Completer) -> CompleteLine:
    return TransformersPeer(completer).complete


ARMS: Mapping[str, Callable[[Completer], CompleteLine]] = {
    "pirouette": pirouette_arm,
    "transformers": transformers_arm,
}


def choose_arms(names: tuple[str, ...]) -> dict[str, Callable[[Completer], CompleteLine]]:
    """The arms of these names, each once, in the order they were named."""
    unknown = [name for name in names if name not in ARMS]
    if unknown or not names:
        named = f"there is no arm '{unknown[0]}'" if unknown else "no arm was named"
        raise InputError(f"{named}; use one or more of {', '.join(ARMS)}")
    return {name: ARMS[name] for name in names}
