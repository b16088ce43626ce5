"""RepoEval: a line, a call of an API or a function's body in repositories of 2022 and later.

Zhang et al. 2023, "RepoCoder: Repository-Level Code Completion Through Iterative Retrieval and
Generation". Data (microsoft/CodeT, `RepoCoder/datasets`): JSON lines of `prompt` and `metadata`
(`task_id`, `ground_truth`, `fpath_tuple`, `context_start_lineno`, and `line_no`, in files of
functions `lineno`), in files such as `line_level_completion_2k_context_codex.test.jsonl`; and the
repositories in folders, whose names `fpath_tuple` begins with.

Prompt (`build_prompt.py`): windows of lines found in the repository, as comments, the best one
last, as many as fit into half of the context and at most 10, then the prompt as published. Without
the repositories it is read alone. Answer: as many lines with content as the truth has. Measures
(`compute_score.py`): exact match of these lines, and their edit similarity by Levenshtein's
distance. Functions are judged in the same way: the tests of the paper have not been published.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from evaluation.line_windows import Hole, RepositoryLines, read_lines
from evaluation.metrics.lines import content_lines, edit_distance_similarity
from evaluation.published_files import (
    Record,
    damage_told,
    files_at,
    number_in,
    object_in,
    records_of,
    text_in,
)
from evaluation.tasks import (
    CROSS_FILE,
    IN_FILE,
    Protocol,
    Task,
    Verdict,
    as_it_is,
    in_file_prompt,
    token_count,
)
from models.errors import InputError
from models.tokenizer import CodeTokenizer
from retrieval.related.similar_code import CodeBlock

LEVELS = ("line", "api", "function")
# Of several files with the same tasks, those with prompts of 2,000 tokens, which all levels have.
FILES = tuple(f"{level}_level_completion_2k_context_codex.test.jsonl" for level in LEVELS)
RULE = "# " + "-" * 50
MOST_BLOCKS = 10
CONTEXT_TOKENS = 4096 - 100
ANSWER_TOKENS = 500  # of a function; calls and lines end sooner


def read_tasks(data: Path) -> Sequence[Task]:
    """The tasks of one file, or of one for each level in a folder.

    Raises `InputError` for data that is missing, damaged or of another form.
    """
    tasks: list[Task] = []
    for file in files_at(data, FILES, "RepoEval"):
        level = next((name for name in LEVELS if file.name.startswith(f"{name}_")), "all")
        with damage_told(file):
            tasks += [task_of(record, level, n) for n, record in enumerate(records_of(file))]
    if not tasks:
        raise InputError(f"{data} holds no tasks of RepoEval; fetch it again")
    return tasks


def task_of(record: Record, level: str, number: int) -> Task:
    metadata = object_in(record, "metadata")
    place = metadata.get("fpath_tuple")
    if not isinstance(place, list) or len(place) < 2 or not all(isinstance(p, str) for p in place):
        raise ValueError("a task's fpath_tuple is no path in a repository")
    if {"", ".", ".."} & {*place} or any("/" in part for part in place):
        raise ValueError("a task's fpath_tuple leads out of its repository")
    line = number_in(metadata, "line_no" if "line_no" in metadata else "lineno")
    return Task(
        # Those of functions are all called the same in one repository.
        task_id=f"{level}/{text_in(metadata, 'task_id')}/{number}",
        prefix=text_in(record, "prompt"),
        truth=text_in(metadata, "ground_truth"),
        part=level,
        path="/".join(place[1:]),
        repository=place[0],
        single_line=level == "line",
        first_line=number_in(metadata, "context_start_lineno"),
        line=line,
    )


def context_finder(repositories: Path) -> Callable[[Task], Task]:
    """Adds to a task the windows that are found in its repository, which is read once.

    Raises `InputError` where the repository, or the file in it, is not there.
    """

    @cache
    def lines_of(name: str) -> RepositoryLines:
        return read_lines(repositories / name)

    def find(task: Task) -> Task:
        lines = lines_of(task.repository)
        if task.path not in lines.files:
            raise InputError(
                f"there is no {task.repository}/{task.path} in {repositories}; "
                "name the folder of the benchmark's repositories"
            )
        hole = Hole(task.path, task.first_line, task.line)
        return replace(task, context=tuple(lines.like(hole)))

    return find


def cross_file_prompt(task: Task, tokenizer: CodeTokenizer, most: int) -> str:
    head = f"# Here are some relevant code fragments from other files of the repo:\n{RULE}\n"
    used = token_count(tokenizer, head)
    fitting: list[str] = []
    for block in task.context:
        shown = as_comment(block)
        cost = token_count(tokenizer, shown)
        if len(fitting) < MOST_BLOCKS and used + cost < most // 2:
            fitting.insert(0, shown)
            used += cost
    if not fitting:
        return in_file_prompt(task, tokenizer, most)
    before = head + "".join(fitting) + "\n"
    return before + in_file_prompt(task, tokenizer, most - token_count(tokenizer, before))


def as_comment(block: CodeBlock) -> str:
    lines = [f"# {line}" for line in block.text.splitlines()]
    told = ["# the below code fragment can be found in:", f"# {block.path}", RULE]
    return "\n".join([*told, *lines, RULE]) + "\n"


def judge(task: Task, completion: str) -> Verdict:
    wanted = content_lines(task.truth)
    written = content_lines(completion)[: len(wanted)]
    answer = "\n".join(written)
    return Verdict(
        answer,
        {
            "exact_match": written == wanted,
            "edit_similarity": edit_distance_similarity(answer, "\n".join(wanted)),
        },
    )


def repoeval(repositories: Path | None = None) -> Protocol:
    """The protocol, with what is found in the folder of `repositories` where there is one."""
    if repositories is not None and not repositories.is_dir():
        raise InputError(f"{repositories} is not a folder; name that of the repositories")
    return Protocol(
        name="repoeval",
        read=read_tasks,
        prompts={IN_FILE: in_file_prompt, CROSS_FILE: cross_file_prompt},
        judge=judge,
        context_tokens=CONTEXT_TOKENS,
        answer_tokens=ANSWER_TOKENS,
        find_context=context_finder(repositories) if repositories else as_it_is,
    )
