"""What is asked of a repository's APIs, and which of them answer it.

Wishes in words are made of its own documentation, of which the code is freed.

The first sentence of an API's documentation is the wish; the API is the answer, as is any other
that is documented in the same words. All documentation is taken out of the code that is searched,
since that of a twin would give the answer away or outdo it.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from evaluation.call_sites import draw_call_sites
from evaluation.repositories import Repository
from retrieval.index.declarations import APIS, Outline
from retrieval.index.outline import outline_of
from retrieval.index.search import is_test

FEWEST_WORDS = 4
LINES_BEFORE = 3  # a call, its own among them, that say what is called
SENTENCE = re.compile(r"(?<=[.!?])\s|\n\s*\n")


@dataclass(frozen=True, slots=True)
class ApiQuestion:
    """A wish, and the path and qualified name of each API that fulfils it; those that are `hidden`
    are not there to be found."""

    wish: str
    answers: frozenset[tuple[str, str]]
    hidden: frozenset[tuple[str, str]] = frozenset()


def outlines_of(repository: Repository) -> dict[str, Outline]:
    """By path, of all files but tests."""
    found = {
        path: outline_of(path, text.encode())
        for path, text in repository.files.items()
        if not is_test(path)
    }
    return {path: outline for path, outline in found.items() if outline is not None}


def draw_questions(outlines: Mapping[str, Outline], count: int, seed: int) -> list[ApiQuestion]:
    """`count` of them, or as many as public APIs with a sentence of some words allow."""
    answers: dict[str, set[tuple[str, str]]] = {}
    for path, outline in outlines.items():
        for one in outline.declarations:
            wish = first_sentence(one.doc)
            is_public = not one.name.startswith("_")
            if one.kind in APIS and is_public and len(wish.split()) >= FEWEST_WORDS:
                answers.setdefault(wish, set()).add((path, one.qualified))
    drawn = random.Random(seed).sample(sorted(answers), min(count, len(answers)))  # noqa: S311
    return [ApiQuestion(wish, frozenset(answers[wish])) for wish in drawn]


def questions_at_calls(
    repository: Repository, outlines: Mapping[str, Outline], count: int, seed: int
) -> list[ApiQuestion]:
    """What is called next, for the lines before the calls of `count` functions, or as many as there
    are. A function does not find itself, nor what it stands in."""
    declared = [
        (path, one)
        for path, outline in outlines.items()
        for one in outline.declarations
        if one.kind in APIS
    ]
    questions: list[ApiQuestion] = []
    for site in draw_call_sites([repository], count, seed):
        line = site.before.count("\n") + 1
        hidden = frozenset(
            (path, one.qualified)
            for path, one in declared
            if path == site.path and one.first_line <= line <= one.last_line
        )
        named = frozenset((path, one.qualified) for path, one in declared if one.name == site.name)
        if answers := named - hidden:
            wish = "\n".join(site.before.splitlines()[-LINES_BEFORE:])
            questions.append(ApiQuestion(wish, answers, hidden))
    return questions


def first_sentence(doc: str) -> str:
    return " ".join(SENTENCE.split(doc.strip(), maxsplit=1)[0].split())


def without_docs(outline: Outline) -> Outline:
    declarations = tuple(replace(one, doc="") for one in outline.declarations)
    return replace(outline, declarations=declarations)
