"""CrossCodeEval: the rest of a statement that uses what is declared in another file.

Ding et al. 2023, "CrossCodeEval: A Diverse and Multilingual Benchmark for Cross-File Code
Completion". Data (amazon-science/cceval): for each language `line_completion.jsonl`, and files such
as `line_completion_rg1_bm25.jsonl` with what a search by the lines before the cursor has found
(`rg1`) or by those and the answer (`oracle`). Objects of `prompt`, `groundtruth`, `right_context`,
`metadata` (`task_id`, `repository`, `file`) and `crossfile_context` (`text`, and a `list` of
`retrieved_chunk`, `filename` and `score`, the best first).

Prompt (`scripts/eval.py`, `prepare_features_cfc`): the chunks as comments, as many as fit into 512
tokens, then the file, which is cut off at its beginning; both within 2,048 less an answer of 50.
What stands after the cursor is not read. Answer (`eval_utils.py`): in Python up to the first line
end at which file and answer parse, in the others up to the first `;`, `{` or `}`. Measures
(`eval_metric.py`), both texts without comments: exact match of the lines, edit similarity by
`fuzz.ratio`, exact match of the identifiers, and F1 of their sets.
"""

import keyword
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from evaluation.metrics.lines import content_lines, percent_similarity
from evaluation.published_files import (
    Record,
    damage_told,
    files_at,
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
    in_file_prompt,
    token_count,
)
from models.errors import InputError
from models.tokenizer import CodeTokenizer
from retrieval.grammars import PYTHON
from retrieval.related.similar_code import CodeBlock
from retrieval.trees import parse

FILES = ("line_completion*.jsonl", "line_completion*.jsonl.gz")
LANGUAGES = {".py": "python", ".java": "java", ".ts": "typescript", ".tsx": "typescript"} | {
    ".cs": "csharp"
}
CHUNK_TOKENS = 512
ENDS = re.compile(r"[;{}]")
COMMENT = re.compile(r"#.*|//.*")  # of any language in any other, as published
STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|\'[^\'\\]*(?:\\.[^\'\\]*)*\'')
WORD = re.compile(r"\w+")
BEGINS_NAME = re.compile(r"[_a-zA-Z]")


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Of the language specifications: reserved words, which are no identifiers.
KEYWORDS = {
    "python": frozenset(keyword.kwlist),
    "java": words(
        "abstract assert boolean break byte case catch char class const continue default do double "
        "else enum extends final finally float for goto if implements import instanceof int "
        "interface long native new package private protected public return short static strictfp "
        "super switch synchronized this throw throws transient try void volatile while"
    ),
    "typescript": words(
        "break case catch class const continue debugger default delete do else enum export extends "
        "false finally for function if implements import in instanceof interface let new null "
        "package private protected public return static super switch this throw true try typeof "
        "var void while with yield"
    ),
    "csharp": words(
        "abstract as base bool break byte case catch char checked class const continue decimal "
        "default delegate do double else enum event explicit extern false finally fixed float for "
        "foreach goto if implicit in int interface internal is lock long namespace new null object "
        "operator out override params private protected public readonly ref return sbyte sealed "
        "short sizeof stackalloc static string struct switch this throw true try typeof uint ulong "
        "unchecked unsafe ushort using virtual void volatile while"
    ),
}


def read_tasks(data: Path) -> Sequence[Task]:
    """The tasks of a file. A folder must hold just one of the files, since all have the same tasks.

    Raises `InputError` for data that is missing, damaged or of another form.
    """
    files = files_at(data, FILES, "CrossCodeEval")
    if len(files) > 1:
        names = ", ".join(file.name for file in files)
        raise InputError(f"{data} holds the same tasks several times; name one of {names}")
    with damage_told(files[0]):
        tasks = [task_of(record) for record in records_of(files[0])]
    if not tasks:
        raise InputError(f"{files[0]} holds no tasks of CrossCodeEval; fetch it again")
    return tasks


def task_of(record: Record) -> Task:
    metadata = object_in(record, "metadata")
    path = text_in(metadata, "file")
    language = LANGUAGES.get(Path(path).suffix)
    if language is None:
        raise ValueError(f"{path} is in none of the languages of this benchmark")
    return Task(
        task_id=text_in(metadata, "task_id"),
        prefix=text_in(record, "prompt"),
        truth=text_in(record, "groundtruth"),
        path=path,
        repository=text_in(metadata, "repository"),
        language=language,
        context=tuple(chunks(record)) if record.get("crossfile_context") else (),
    )


def chunks(record: Record) -> Iterator[CodeBlock]:
    found = object_in(record, "crossfile_context").get("list", [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError("a task's crossfile_context has no list of chunks")
    for one in found:
        yield CodeBlock(text_in(one, "filename"), 1, text_in(one, "retrieved_chunk"))


def cross_file_prompt(task: Task, tokenizer: CodeTokenizer, most: int) -> str:
    sign = "#" if task.language == "python" else "//"
    shown = f"{sign} Here are some relevant code fragments from other files of the repo:\n\n"
    used = token_count(tokenizer, shown)
    fitting = ""
    for block in task.context:
        chunk = f"{sign} the below code fragment is found in {block.path}\n"
        chunk += "\n".join(f"{sign} {line}" for line in block.text.split("\n") if line) + "\n\n"
        used += token_count(tokenizer, chunk)
        if used > min(CHUNK_TOKENS, most // 2):
            break
        fitting += chunk
    before = shown + fitting if fitting else ""
    return before + in_file_prompt(task, tokenizer, most - token_count(tokenizer, before))


def statement(task: Task, completion: str) -> str:
    """The part of a completion that finishes the statement; all of it where nothing does."""
    if task.language != "python":
        end = ENDS.search(completion, 1)  # one that begins it does not end it
        return completion[: end.end()] if end else completion
    for place in (found.start() for found in re.finditer("\n", completion)):
        if place and not has_errors(task.prefix + completion[:place]):
            return completion[:place].rstrip()
    return completion


def has_errors(text: str) -> bool:
    """Whether there is anything in a Python text that the parser had to skip."""
    waiting = [parse(text.encode(), PYTHON)]
    while waiting:
        node = waiting.pop()
        if node.type == "ERROR":
            return True
        waiting += [child for child in node.children if child.has_error]
    return False


def identifiers(text: str, language: str) -> list[str]:
    """Words that begin like names outside of strings, but for reserved ones."""
    words = WORD.findall(STRING.sub("", text))
    reserved = KEYWORDS[language]
    return [word for word in words if BEGINS_NAME.match(word) and word not in reserved]


def f1_of_sets(found: Sequence[str], wanted: Sequence[str]) -> float:
    """From 0 to 1; 0 where there is nothing on either side, as published."""
    common, total = len({*found} & {*wanted}), len({*found}) + len({*wanted})
    return 2 * common / total if total else 0.0


def judge(task: Task, completion: str) -> Verdict:
    answer = COMMENT.sub("", statement(task, completion))
    truth = COMMENT.sub("", task.truth)
    found, wanted = identifiers(answer, task.language), identifiers(truth, task.language)
    return Verdict(
        answer,
        {
            "exact_match": content_lines(answer) == content_lines(truth),
            "edit_similarity": percent_similarity(answer.strip(), truth.strip()),
            "identifier_exact_match": found == wanted,
            "identifier_f1": f1_of_sets(found, wanted),
        },
    )


CROSSCODEEVAL = Protocol(
    name="crosscodeeval",
    read=read_tasks,
    prompts={IN_FILE: in_file_prompt, CROSS_FILE: cross_file_prompt},
    judge=judge,
    context_tokens=2048 - 50,
    answer_tokens=50,
)
