"""Answers one question about a name with jedi, in the navigation process.

Files are read through jedi only, inside the fence, and never run.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jedi
from jedi.api.classes import Name
from jedi.api.environment import InterpreterEnvironment
from jedi.api.helpers import recursion_limit
from jedi.file_io import FileIO
from jedi.inference import references

from retrieval.analyst.jedi_answers import folders_for
from retrieval.analyst.places import with_line_feeds
from retrieval.analyst.worker import Deadline
from retrieval.navigation.questions import NOTHING, Asked, CallSignature, Found, Question, Span
from retrieval.navigation.references import find_references

MOST_SIGNATURES = 20
MOST_TYPES = 5  # that a variable may have and that are told
LONGEST_DOC = 10_000  # characters


def find(question: Question, search_path: Sequence[str], deadline: Deadline) -> Found:
    """What is asked; nothing where no name stands. Raises `OutOfTimeError`."""
    project = jedi.Project(
        question.root,
        sys_path=folders_for(question.path, question.root, search_path),
        smart_sys_path=False,
        load_unsafe_extensions=False,
    )
    script = jedi.Script(
        with_line_feeds(question.opened[question.path]),
        path=question.path,
        project=project,
        environment=InterpreterEnvironment(),
    )
    script.searched_files, script.deadline = question.files, deadline
    found: Found = recursion_limit(ANSWERS[question.asked])(
        script, question.line + 1, question.column
    )
    return found


def modules_of(script: Any, name: str) -> Iterator[Any]:
    """Those of the other files that are searched, as far as they have the name and can be read."""
    pattern = re.compile(rf"\b{re.escape(name)}\b")
    for path in script.searched_files:
        if Path(path) == script.path:
            continue
        script.deadline.check()
        module = references._check_fs(script._inference_state, FileIO(path), pattern)
        if module is not None:
            yield module


def hover(script: Any, line: int, column: int) -> Found:
    """How the name is declared, and what is written of it."""
    named = script.goto(line, column, follow_imports=True, follow_builtin_imports=True)
    if not named or named[0].type == "keyword":
        return NOTHING
    first = named[0]
    signatures = [one.to_string() for one in first.get_signatures()[:MOST_SIGNATURES]]
    if first.type == "function":
        code = "\n".join(f"def {one}" for one in signatures) or f"def {first.name}"
    elif first.type == "class":
        code = "\n".join(f"class {one}" for one in signatures) or f"class {first.name}"
    elif first.type == "module":
        code = f"module {first.full_name or first.name}"
    else:
        values = script.infer(line, column)[:MOST_TYPES]
        types = dict.fromkeys(hint for one in values if (hint := hint_of(one)))
        code = (
            f"{first.name}: {' | '.join(types)}"
            if types
            else first.description.removeprefix("param ")
        )
    return Found(code=code, doc=doc_of(first))


def hint_of(value: Any) -> str:
    """The type of a value as it would be annotated; empty where jedi cannot spell it."""
    try:
        return value.get_type_hint() or ""
    except TypeError:
        return ""


def doc_of(name: Any) -> str:
    return str(name.docstring(raw=True))[:LONGEST_DOC]


def signatures(script: Any, line: int, column: int) -> Found:
    found = script.get_signatures(line, column)[:MOST_SIGNATURES]
    return Found(signatures=[signature_of(one) for one in found])


def signature_of(signature: Any) -> CallSignature:
    label = signature.to_string()
    parameters, end = [], label.find("(") + 1
    for parameter in signature.params:
        text = parameter.to_string()
        start = label.find(text, end)
        if start >= 0:
            end = start + len(text)
        parameters.append((max(start, 0), end if start >= 0 else 0))
    return CallSignature(label, doc_of(signature), parameters, signature.index)


def definition(script: Any, line: int, column: int) -> Found:
    return placed(script.goto(line, column, follow_imports=True, follow_builtin_imports=True))


def declaration(script: Any, line: int, column: int) -> Found:
    return placed(script.goto(line, column))


def type_definition(script: Any, line: int, column: int) -> Found:
    return placed(script.infer(line, column))


def meant(script: Any, line: int, column: int) -> Found:
    return referring(script, line, column, others=False)


def all_references(script: Any, line: int, column: int) -> Found:
    return referring(script, line, column, others=True)


def referring(script: Any, line: int, column: int, *, others: bool) -> Found:
    leaf = script._module_node.get_name_of_position((line, column))
    if leaf is None:
        return NOTHING
    more = partial(modules_of, script, leaf.value) if others else tuple
    names = find_references(script._get_module_context(), leaf, more)
    found = placed([Name(script._inference_state, name) for name in names])
    return replace(
        found, spans=sorted(found.spans, key=lambda one: (one.path, one.line, one.start))
    )


def placed(names: Sequence[Any]) -> Found:
    """Where names stand, each place once."""
    spans = [span_of(name) for name in names]
    known = dict.fromkeys(span for span in spans if span is not None)
    return Found(spans=list(known), hidden=spans.count(None))


def span_of(name: Any) -> Span | None:
    """None for what has no source."""
    if name.module_path is None or name.line is None:
        return None
    path = str(name.module_path)
    if name.type == "module" and name._name.tree_name is None:
        return Span(path, 0, 0, 0, "", name.name, binds=True, is_file=True)
    text = name.get_line_code().rstrip("\r\n")
    end = name.column + len(name.name)
    return Span(path, name.line - 1, name.column, end, text, name.name, name.is_definition())


Answer = Callable[[Any, int, int], Found]
ANSWERS: Mapping[Asked, Answer] = {
    Asked.HOVER: hover,
    Asked.SIGNATURES: signatures,
    Asked.DEFINITION: definition,
    Asked.DECLARATION: declaration,
    Asked.TYPE: type_definition,
    Asked.MEANT: meant,
    Asked.REFERENCES: all_references,
}
