"""Infilling: its tasks, and how one completed text is judged.

A task is a Python function with a line or several taken out. It must not know who fills them in.
Source: Bavarian et al., "Efficient Training of Language Models to Fill in the Middle" (2022),
section 4.2, over HumanEval (Chen et al., 2021).
"""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from evaluation.intervals import bootstrap_mean
from evaluation.programs import Outcome
from evaluation.published_files import damage_told, lines_of
from evaluation.results import Row, metric, rate, rate_difference
from models.errors import InputError

SEVERAL_LINES = "MultiLineInfilling/"
FILES = ("HumanEval-SingleLineInfilling.jsonl.gz", "HumanEval-SingleLineInfilling.jsonl")


@dataclass(frozen=True, slots=True)
class InfillingTask:
    """Lines to fill in; the fields are those of the published file.

    `prompt` ends where the missing lines begin, and `suffix` begins with the line after them, so
    `canonical_solution` brings the line end between them.
    """

    task_id: str
    entry_point: str
    prompt: str
    suffix: str
    canonical_solution: str
    test: str

    @property
    def single_line(self) -> bool:
        """Whether the task is of the set in which one line is missing; told without its truth."""
        return not self.task_id.startswith(SEVERAL_LINES)

    @property
    def truth(self) -> str:
        return self.canonical_solution.rstrip()


@dataclass(frozen=True, slots=True)
class Completion:
    """What an arm wrote for a task, and how many tokens the model needed for it."""

    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One arm's completion of one task, judged."""

    arm: str
    task: InfillingTask
    completion: Completion
    outcome: Outcome

    @property
    def exact(self) -> bool:
        return is_exact_match(self.task, self.completion.text)


def read_tasks(data: Path, limit: int | None = None, seed: int = 0) -> tuple[InfillingTask, ...]:
    """`limit` tasks in the order of the file, or all of them.

    The first ones, and where several lines are missing ones drawn by `seed`, since many in a row
    are of one function there.

    `data` is the benchmark's JSON-lines file, plain or compressed, or the folder it lies in.
    Raises `InputError` where there is none, or where it is damaged.
    """
    if limit is not None and limit < 1:
        raise InputError(f"the limit is {limit}, but at least one task must be run")
    file = task_file(data)
    with damage_told(file):
        lines = lines_of(file)
        if lines and limit is not None and parse_task(lines[0]).task_id.startswith(SEVERAL_LINES):
            chosen = random.Random(seed).sample(range(len(lines)), min(limit, len(lines)))  # noqa: S311
            lines = [lines[number] for number in sorted(chosen)]
        tasks = tuple(parse_task(line) for line in lines[:limit])
    if not tasks:
        raise InputError(f"{file} holds no tasks; fetch it again")
    return tasks


def task_file(data: Path) -> Path:
    """The file itself, or the one of the benchmark's own name in a folder."""
    candidates = [data / name for name in FILES] if data.is_dir() else [data]
    found = next((file for file in candidates if file.is_file()), None)
    if found is None:
        raise InputError(
            f"there is no infilling data at {data}; name the folder of {FILES[0]} or the file"
        )
    return found


def parse_task(line: str) -> InfillingTask:
    """The task in one line of JSON; raises `ValueError` where it is none."""
    raw: Any = json.loads(line)
    names = [field.name for field in fields(InfillingTask)]
    if not isinstance(raw, dict) or not all(isinstance(raw.get(name), str) for name in names):
        raise ValueError(f"a task is an object with the texts {', '.join(names)}")
    return InfillingTask(**{name: raw[name] for name in names})


def is_exact_match(task: InfillingTask, completion: str) -> bool:
    """Whether the completion is what was taken out; whitespace at its end is ignored."""
    return completion.rstrip() == task.truth


def program_of(task: InfillingTask, completion: str) -> str:
    """The function with the completion in its place, its tests, and the call of them."""
    call = f"check({task.entry_point})"
    return f"{task.prompt}{completion}\n{task.suffix}\n{task.test}\n{call}\n"


def score(arm: str, attempts: Sequence[Attempt], seed: int) -> Row:
    """The rates of one arm over all its tasks, and the mean number of tokens it wrote."""
    tokens = [float(attempt.completion.tokens) for attempt in attempts]
    metrics = {
        "exact_match": rate(attempt.exact for attempt in attempts),
        "pass_at_1": rate(attempt.outcome.passed for attempt in attempts),
        "tokens": metric(sum(tokens) / len(tokens), bootstrap_mean(tokens, seed)),
    }
    return Row(arm, "all", len(attempts), metrics)


def compare(first: Sequence[Attempt], second: Sequence[Attempt], seed: int) -> Row:
    """The first arm's metrics less the second's, over the same tasks in the same order."""
    assert [a.task.task_id for a in first] == [b.task.task_id for b in second]
    pairs = list(zip(first, second, strict=True))
    tokens = [float(a.completion.tokens - b.completion.tokens) for a, b in pairs]
    metrics = {
        "exact_match": rate_difference([a.exact for a in first], [b.exact for b in second]),
        "pass_at_1": rate_difference(
            [a.outcome.passed for a in first], [b.outcome.passed for b in second]
        ),
        "tokens": metric(sum(tokens) / len(tokens), bootstrap_mean(tokens, seed)),
    }
    return Row(f"{first[0].arm} - {second[0].arm}", "all", len(pairs), metrics)


def sample_record(attempt: Attempt) -> dict[str, Any]:
    """One attempt as a JSON object, for reading what went wrong."""
    return {
        "task_id": attempt.task.task_id,
        "arm": attempt.arm,
        "completion": attempt.completion.text,
        "expected": attempt.task.truth,
        "exact_match": attempt.exact,
        "tokens": attempt.completion.tokens,
        "program": asdict(attempt.outcome),
    }
