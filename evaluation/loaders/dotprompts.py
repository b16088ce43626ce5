"""DotPrompts: the rest of a Java method after a dot, at which names of other files are needed.

Agrawal et al. 2023, "Guiding Language Models of Code with Global Context using Monitors". Data
(microsoft/monitors4codegen): `datasets/DotPrompts/dataset.csv` with `repo`, `classFileName`,
`methodStartIdx`, `methodStopIdx` and `dot_idx`, which are characters counted from 0, and
`datasets/PragmaticCode/fileContentsByRepo.json`, an object of objects: repository, file, text.

Prompt: the file up to and with the dot, its beginning cut off. Answer: up to the brace that closes
the method; where none does, the missing ones are added. Measures
(`evaluation_scripts/eval_results.py`, `eval_utils.py`), over the rest of the method: whether the
first token is the true one (NIM), and the share of the true identifiers (ISM) and tokens (PM) that
the answer begins with. Tokens are those of Pygments' Java lexer, as published. One sample is
judged, so that score@1 is the mean. Whether it compiles is not measured: that needs the
repositories' builds.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from pygments.lexers import JavaLexer
from pygments.token import Token, Whitespace

from evaluation.metrics.identifiers import shared_prefix
from evaluation.published_files import (
    Record,
    damage_told,
    files_at,
    number_in,
    records_of,
    text_in,
)
from evaluation.tasks import IN_FILE, Protocol, Task, Verdict, in_file_prompt
from models.errors import InputError

DATASET = ("dataset.csv", "DotPrompts/dataset.csv", "datasets/DotPrompts/dataset.csv")
CONTENTS = "fileContentsByRepo.json"
NEAR = ("", "PragmaticCode", "../PragmaticCode", "datasets/PragmaticCode")
LEXER = JavaLexer()


def read_tasks(data: Path) -> Sequence[Task]:
    """The tasks of `dataset.csv`, with the files' texts from beside it.

    Raises `InputError` where either is missing, damaged or does not fit the other.
    """
    file = files_at(data, DATASET, "DotPrompts")[0]
    places = [folder / near / CONTENTS for folder in (file.parent, data) for near in NEAR]
    contents = next((place for place in places if place.is_file()), None)
    if contents is None:
        raise InputError(f"there is no {CONTENTS} near {file}; put it beside the file")
    with damage_told(contents):
        texts = json.loads(contents.read_text(encoding="utf-8"))
        if not isinstance(texts, dict):
            raise ValueError("it holds no object of repositories")
    with damage_told(file):
        tasks = [task_of(record, texts) for record in records_of(file)]
    if not tasks:
        raise InputError(f"{file} holds no tasks of DotPrompts; fetch it again")
    return tasks


def task_of(record: Record, texts: Record) -> Task:
    repository, path = text_in(record, "repo"), text_in(record, "classFileName")
    dot, stop = number_in(record, "dot_idx"), number_in(record, "methodStopIdx")
    start = number_in(record, "methodStartIdx")
    files = texts.get(repository)
    text = files.get(path) if isinstance(files, dict) else None
    if not isinstance(text, str):
        raise ValueError(f"the text of {repository}, {path} is not among {CONTENTS}")
    if text[dot : dot + 1] != "." or not start < dot < stop < len(text):
        raise ValueError(f"{repository}, {path} has no dot in a method at {dot}")
    return Task(
        task_id=f"{repository}/{path}/{dot}",
        prefix=text[: dot + 1],
        truth=text[dot + 1 : stop + 1],
        begun=text[start : dot + 1],
        path=path,
        repository=repository,
        language="java",
    )


def method_rest(begun: str, completion: str) -> str:
    """A completion up to the brace that closes the method begun with an opening one, or with the
    closing braces that are missing."""
    depth = 0
    for place, kind, value in LEXER.get_tokens_unprocessed(begun + completion):
        if kind in Token.Punctuation:
            depth += (value == "{") - (value == "}")
        if depth == 0:
            return completion[: max(0, place + len(value) - len(begun))]
    return completion + "}" * depth


def java_tokens(text: str) -> list[str]:
    """All tokens but white space; comments are tokens too."""
    return [
        value for kind, value in LEXER.get_tokens(text) if kind not in Whitespace and value.strip()
    ]


def java_names(text: str) -> list[str]:
    """The names among the tokens, and `class`, which may be one's attribute."""
    tokens = LEXER.get_tokens(text)
    return [value for kind, value in tokens if kind in Token.Name or value == "class"]


def judge(task: Task, completion: str) -> Verdict:
    answer = method_rest(task.begun, completion)
    tokens, wanted = java_tokens(answer), java_tokens(task.truth)
    return Verdict(
        answer,
        {
            "nim": tokens[:1] == wanted[:1],
            "ism": shared_prefix(java_names(answer), java_names(task.truth)),
            "pm": shared_prefix(tokens, wanted),
        },
    )


DOTPROMPTS = Protocol(
    name="dotprompts",
    read=read_tasks,
    prompts={IN_FILE: in_file_prompt},
    judge=judge,
    context_tokens=1536,
    answer_tokens=512,
)
