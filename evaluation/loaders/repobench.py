"""RepoBench, the completion task: the next line of a file after code of the files it imports.

Liu et al. 2023, "RepoBench: Benchmarking Repository-Level Code Auto-Completion Systems". Files:
v1.1 as Parquet on the hub (tianyang/repobench_python_v1.1, one file or several for each setting
`cross_file_first`, `cross_file_random` and `in_file`), or the same rows as JSON lines: `repo_name`,
`file_path`, `context` (objects of `path` and `snippet`), `import_statement`, `cropped_code`,
`next_line`. Rows of v1.0 (`context` a text, `code` in place of `cropped_code`) are read as JSON
lines; its own files are pickles, which are never loaded.

Prompt (Leolty/repobench, `data/utils.py`, `construct_prompt` and, for v1.0,
`construct_trainable_data`): the repository's name, each snippet under its path, then the file's
imports and code. Where it is too long, lines of the snippets go, the last first. Answer (`run.py`):
the first line that is no comment. Measures (`evaluation/metrics.py`): exact match of the words
between blanks; edit similarity by `fuzz.ratio`. CodeBLEU is not measured.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from evaluation.metrics.lines import percent_similarity
from evaluation.published_files import Record, damage_told, files_at, records_of, text_in
from evaluation.tasks import CROSS_FILE, Protocol, Task, Verdict, last_tokens, token_count
from models.errors import InputError
from models.tokenizer import CodeTokenizer
from retrieval.related.similar_code import CodeBlock

SETTINGS = ("cross_file_first", "cross_file_random", "in_file")
PATTERNS = tuple(
    f"{setting}*{end}" for setting in SETTINGS for end in (".parquet", ".jsonl", ".jsonl.gz")
)
COLUMNS = (
    *("repo_name", "file_path", "context", "import_statement", "cropped_code", "code"),
    "next_line",
)
COMMENTS = {"python": "#", "java": "//"}
TEXT_MARKS = ('"""', "'''")
BLANK_RUN = re.compile(r"\n{4,}")


def read_tasks(data: Path) -> Sequence[Task]:
    """The tasks of one file, or of all files of the settings in a folder.

    Raises `InputError` for data that is missing, damaged or of another form.
    """
    tasks: list[Task] = []
    for file in files_at(data, PATTERNS, "RepoBench"):
        setting = next((name for name in SETTINGS if file.name.startswith(name)), "all")
        if file.name.endswith((".pkl", ".gz")) and not file.name.endswith(".jsonl.gz"):
            raise InputError(f"{file} may be a pickle, which is never loaded; export JSON lines")
        with damage_told(file):
            start = len(tasks)
            for record in records_of(file, COLUMNS):
                tasks.append(task_of(record, setting, len(tasks) - start))
    if not tasks:
        raise InputError(f"{data} holds no tasks of RepoBench; fetch it again")
    return tasks


def task_of(record: Record, setting: str, number: int) -> Task:
    path = text_in(record, "file_path")
    imports, line = text_in(record, "import_statement"), text_in(record, "next_line")
    if "cropped_code" in record:
        prefix = f"{imports}\n{text_in(record, 'cropped_code')}\n"
        context = tuple(snippets(record))
    else:
        prefix = f"{imports}\n\n{text_in(record, 'code')}\n"
        context = (CodeBlock("", 1, text_in(record, "context")),)
    return Task(
        task_id=f"{setting}/{number}",
        prefix=prefix,
        truth=line,
        part=setting,
        path=path,
        repository=str(record.get("repo_name", "")),
        language="java" if path.endswith(".java") else "python",
        context=context,
    )


def snippets(record: Record) -> Iterator[CodeBlock]:
    found = record.get("context")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError("a task's context is no list of snippets")
    for one in found:
        yield CodeBlock(text_in(one, "path"), 1, text_in(one, "snippet"))


def prompt_of(task: Task, tokenizer: CodeTokenizer, most: int) -> str:
    """Snippets and file. The file is never cut for them; if it is too long alone, its beginning
    goes."""
    sign = COMMENTS[task.language]
    if any(not block.path for block in task.context):  # v1.0, where it is one text
        before = "".join(f"{block.text}\n" for block in task.context)
    else:
        before = f"{sign} Repo Name: {task.repository}\n"
        before += "".join(f"{sign} Path: {one.path}\n{one.text}\n\n" for one in task.context)
    file = f"{sign} Path: {task.path}\n{task.prefix}"
    room = most - token_count(tokenizer, file)
    lines = before.split("\n")
    surplus = token_count(tokenizer, before) - room
    while lines and surplus > 0:
        surplus -= token_count(tokenizer, lines.pop() + "\n")
        before = "\n".join(lines) + "\n\n" if lines else ""
    return last_tokens(tokenizer, BLANK_RUN.sub("\n\n", before + file), most)


def first_code_line(text: str, language: str) -> str:
    """The first line that is no comment and no part of one; the very first where there is none."""
    opened = False
    lines = text.lstrip("\n").split("\n")
    opens, closes = (TEXT_MARKS, TEXT_MARKS) if language == "python" else (("/*",), ("*/",))
    for line in lines:
        content = line.strip()
        if not content:
            continue
        if not opened and content.startswith(opens):
            opened = True
        elif opened and content.endswith(closes):
            opened = False
        elif not opened and not content.startswith(COMMENTS[language]):
            return line
    return lines[0]


def judge(task: Task, completion: str) -> Verdict:
    answer = first_code_line(completion, task.language)
    return Verdict(
        answer,
        {
            "exact_match": answer.split() == task.truth.split(),
            "edit_similarity": percent_similarity(answer, task.truth),
        },
    )


REPOBENCH = Protocol(
    name="repobench",
    read=read_tasks,
    prompts={CROSS_FILE: prompt_of},
    judge=judge,
    context_tokens=15_800,
    answer_tokens=128,
)
