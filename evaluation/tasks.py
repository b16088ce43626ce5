"""What every benchmark with published files is made of: tasks, and how they are to be done.

A task is a place in a file where something is missing. A protocol says what of it is read, in
which order and up to how many tokens, what of an answer counts, and by which measures. Neither
knows who answers. Each module of `evaluation.loaders` makes both for one benchmark.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from models.tokenizer import CodeTokenizer
from retrieval.related.similar_code import CodeBlock

Drawn = TypeVar("Drawn")

IN_FILE, CROSS_FILE = "in-file", "cross-file"  # what is read: the file alone, or others before it


@dataclass(frozen=True, slots=True)
class Task:
    """A place to complete.

    `prefix` and `suffix` are the file's text around it, `truth` is what stood there. `context` is
    code of other files that may be read before the file's, the likeliest to help first. `part` is
    that of the benchmark to which the task belongs. `single_line` says that an answer ends with its
    line. `begun` is what of the unit to be completed stands before the cursor, where that is needed
    to know its end. `first_line` and `line` are those of the file, from 0 on, at which `prefix`
    begins and the answer goes, where the benchmark tells them. `tests` is what runs the completed
    program; empty where nothing is run.
    """

    task_id: str
    prefix: str
    truth: str
    suffix: str = ""
    part: str = "all"
    path: str = ""
    repository: str = ""
    language: str = "python"
    context: tuple[CodeBlock, ...] = ()
    single_line: bool = False
    begun: str = ""
    first_line: int = 0
    line: int = 0
    tests: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """What an arm wrote for a task, and how many tokens the model needed for it."""

    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What of a completion counts as the answer, its measures by name, and a note for the reader.

    A measure that is true or false is counted as a rate; numbers from 0 to 1 are averaged.
    """

    answer: str
    scores: Mapping[str, bool | float]
    note: str = ""


def drawn(items: Sequence[Drawn], count: int, seed: int) -> Sequence[Drawn]:
    """So many of all, or all, in their order."""
    numbers = range(len(items))
    chosen = random.Random(seed).sample(numbers, min(count, len(items)))  # noqa: S311
    return [items[number] for number in sorted(chosen)]


def as_it_is(task: Task) -> Task:
    return task


# The text before the cursor, of at most so many tokens.
BuildPrompt = Callable[[Task, CodeTokenizer, int], str]


@dataclass(frozen=True, slots=True)
class Protocol:
    """How the tasks of a benchmark are read, asked and judged.

    `read` raises `InputError` for data that is missing or of another form. `prompts` are the ways
    to ask, by name; those that read other files are left out where no task has any. `find_context`
    adds to a task what is only looked for once it is chosen. `choose` picks so many tasks by a
    seed, in order. Prompts have at most `context_tokens`, answers `answer_tokens`.
    """

    name: str
    read: Callable[[Path], Sequence[Task]]
    prompts: Mapping[str, BuildPrompt]
    judge: Callable[[Task, str], Verdict]
    context_tokens: int
    answer_tokens: int
    find_context: Callable[[Task], Task] = as_it_is
    choose: Callable[[Sequence[Task], int, int], Sequence[Task]] = drawn


def last_tokens(tokenizer: CodeTokenizer, text: str, most: int) -> str:
    """The end of a text in at most so many tokens: what is cut off is its beginning."""
    offsets = tokenizer.encode_with_offsets(text).offsets
    if len(offsets) <= most:
        return text
    return text[offsets[len(offsets) - most][0] :] if most > 0 else ""


def in_file_prompt(task: Task, tokenizer: CodeTokenizer, most: int) -> str:
    """The end of the file before the cursor."""
    return last_tokens(tokenizer, task.prefix, most)


def token_count(tokenizer: CodeTokenizer, text: str) -> int:
    return len(tokenizer.encode(text))
