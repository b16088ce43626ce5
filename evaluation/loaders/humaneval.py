"""HumanEval infilling: a line or several taken out of a function, judged by running its tests.

Bavarian et al. 2022, "Efficient Training of Language Models to Fill in the Middle", section 4.2,
over HumanEval (Chen et al. 2021). Files: openai/human-eval-infilling, JSON lines of `task_id`,
`entry_point`, `prompt`, `suffix`, `canonical_solution` and `test`. `prompt` ends where the missing
lines begin, and `suffix` begins with the line after them, so `canonical_solution` brings the line
end between them. Both are read exactly as published, so that figures compare with others'.
"""

from collections.abc import Sequence
from pathlib import Path

from evaluation.programs import run_program
from evaluation.published_files import Record, damage_told, files_at, records_of, text_in
from evaluation.tasks import IN_FILE, Protocol, Task, Verdict, drawn
from models.errors import InputError
from models.tokenizer import CodeTokenizer

SEVERAL_LINES = "MultiLineInfilling/"
FILES = ("HumanEval-SingleLineInfilling.jsonl.gz", "HumanEval-SingleLineInfilling.jsonl")


def read_tasks(data: Path) -> Sequence[Task]:
    """All tasks of the benchmark's file, plain or compressed, or of the folder it lies in.

    Raises `InputError` where there is none, or where it is damaged.
    """
    file = files_at(data, FILES, "infilling")[0]
    with damage_told(file):
        tasks = [task_of(record) for record in records_of(file)]
    if not tasks:
        raise InputError(f"{file} holds no tasks; fetch it again")
    return tasks


def task_of(record: Record) -> Task:
    task_id = text_in(record, "task_id")
    return Task(
        task_id=task_id,
        prefix=text_in(record, "prompt"),
        suffix=text_in(record, "suffix"),
        truth=text_in(record, "canonical_solution").rstrip(),
        single_line=not task_id.startswith(SEVERAL_LINES),
        tests=f"{text_in(record, 'test')}\ncheck({text_in(record, 'entry_point')})\n",
    )


def choose(tasks: Sequence[Task], count: int, seed: int) -> Sequence[Task]:
    """The first tasks, and where several lines are missing ones drawn by the seed, since many in a
    row are of one function there."""
    return tasks[:count] if tasks[0].single_line else drawn(tasks, count, seed)


def prompt_of(task: Task, _: CodeTokenizer, __: int) -> str:
    return task.prefix


def program_of(task: Task, completion: str) -> str:
    """The function with the completion in its place, its tests, and the call of them."""
    return f"{task.prefix}{completion}\n{task.suffix}\n{task.tests}"


def judge(task: Task, completion: str) -> Verdict:
    """Whether it is what was taken out, but for white space at its end, and whether its program
    passes (pass@1 of Chen et al. 2021 with one sample)."""
    outcome = run_program(program_of(task, completion))
    exact = completion.rstrip() == task.truth
    scores = {"exact_match": exact, "pass_at_1": outcome.passed}
    return Verdict(completion, scores, outcome.reason)


HUMANEVAL = Protocol(
    name="infilling",
    read=read_tasks,
    prompts={IN_FILE: prompt_of},
    judge=judge,
    context_tokens=1024,
    answer_tokens=64,
    choose=choose,
)
