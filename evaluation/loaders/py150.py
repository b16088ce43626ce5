"""CodeXGLUE's completion of lines of PY150: the rest of a line after all that stands before it.

Lu et al. 2021, "CodeXGLUE"; Raychev et al. 2016 for the files. Data
(microsoft/CodeXGLUE, `Code-Code/CodeCompletion-line`): JSON lines of `input` and `gt`, both as
tokens between blanks. `<s>` begins a file, `<EOL>` ends a line, indentation and comments are gone,
and literals that are not among the most frequent ones are `<STR_LIT>` and `<NUM_LIT>`; the others
are `<STR_LIT:text>` and `<NUM_LIT:1>`, with blanks and commas spelled U+0020 and U+002C.

Prompt: the input in plain text, as the evaluator of the benchmark writes literals, its beginning
cut off beyond 924 tokens (`code/dataset.py`, `lineDataset`: 1,024 less an answer of 100). A model
that was not trained on these tokens sees by what comes before that words stand apart. Answer: the
line, as tokens between blanks again. Measures (`evaluator/evaluator.py`): exact match of the words
between blanks; edit similarity by `fuzz.ratio`.

The completion of tokens (`Code-Code/CodeCompletion-token`) has the same tokens, a whole file on
each line of `test.txt`; `evaluation.benchmarks.py150_tokens` runs it.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from evaluation.metrics.identifiers import code_tokens
from evaluation.metrics.lines import percent_similarity
from evaluation.published_files import (
    Record,
    damage_told,
    files_at,
    lines_of,
    records_of,
    text_in,
)
from evaluation.tasks import IN_FILE, Protocol, Task, Verdict, in_file_prompt
from models.errors import InputError

FILES = ("test.json", "line_completion/test.json")
NO_LITERAL = {"<NUM_LIT>": "0", "<STR_LIT>": "", "<CHAR_LIT>": ""}
LITERAL = re.compile(r"<(?:STR|NUM|CHAR)_LIT:(.*?)>", re.DOTALL)
SPELLED = {"U+0020": " ", "U+002C": ","}
FILE_MARKS = ("<s>", "</s>")
LINE_END_MARK = "<EOL>"
LINE_END = re.compile(f" ?{LINE_END_MARK} ?")


def read_tasks(data: Path) -> Sequence[Task]:
    """The tasks of `test.json`. Raises `InputError` where it is missing, damaged or another one."""
    file = files_at(data, FILES, "PY150")[0]
    with damage_told(file):
        tasks = [task_of(record, number) for number, record in enumerate(records_of(file))]
    if not tasks:
        raise InputError(f"{file} holds no tasks of PY150; fetch it again")
    return tasks


def read_files(data: Path) -> list[list[str]]:
    """The tokens of each file in `test.txt` of the completion of tokens, a file on each line.

    Raises `InputError` where it is missing, damaged or another one.
    """
    with damage_told(data):
        files = [line.split() for line in lines_of(data)]
        if not all(tokens[0] == FILE_MARKS[0] and tokens[-1] == FILE_MARKS[1] for tokens in files):
            raise ValueError("a line is no file of PY150 between <s> and </s>")
    marks = {*FILE_MARKS, LINE_END_MARK}
    files = [tokens for tokens in files if any(map(with_literals, {*tokens} - marks))]
    if not files:
        raise InputError(f"{data} holds no files of PY150; fetch it again")
    return files


def is_of_tokens(data: Path) -> bool:
    """Whether this is the file for tokens, and not the one for lines."""
    return data.suffix == ".txt" or data.name.endswith(".txt.gz")


def task_of(record: Record, number: int) -> Task:
    return Task(
        task_id=str(number),
        prefix=plain_code(text_in(record, "input")),
        truth=with_literals(text_in(record, "gt")).strip(),
        single_line=True,
    )


def plain_code(tokens: str) -> str:
    """The text of tokens, lines ended by line ends; it ends where the answer's first token goes."""
    for mark in FILE_MARKS:
        tokens = tokens.replace(mark, "")
    return with_literals(LINE_END.sub("\n", tokens.strip()))


def with_literals(tokens: str) -> str:
    """Tokens with what literals stand for: the text of frequent ones, `0` or nothing of others."""
    for mark, literal in NO_LITERAL.items():
        tokens = tokens.replace(mark, literal)
    tokens = LITERAL.sub(lambda found: found[1], tokens)
    for spelled, character in SPELLED.items():
        tokens = tokens.replace(spelled, character)
    return tokens


def judge(task: Task, completion: str) -> Verdict:
    answer = " ".join(code_tokens(completion.strip().split("\n", 1)[0]))
    truth = " ".join(code_tokens(task.truth))
    return Verdict(
        answer,
        {
            "exact_match": answer.split() == truth.split(),
            "edit_similarity": percent_similarity(answer, truth),
        },
    )


PY150 = Protocol(
    name="py150",
    read=read_tasks,
    prompts={IN_FILE: in_file_prompt},
    judge=judge,
    context_tokens=924,
    answer_tokens=100,
)
