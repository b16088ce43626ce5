"""Questions and answers as JSON, the only thing that passes between an analyst and its worker."""

from dataclasses import asdict
from typing import Any

from retrieval.analyst.questions import About, Answer, CallShape, Question, Wanted
from retrieval.index.declarations import Kind

OUT_OF_TIME = "out of time"


def question_to(question: Question) -> dict[str, Any]:
    return {
        "path": question.path,
        "root": question.root,
        "before": question.before,
        "after": question.after,
        "wanted": question.wanted.value,
    }


def question_from(fields: dict[str, Any]) -> Question:
    return Question(
        fields["path"],
        fields["root"],
        fields["before"],
        fields["after"],
        Wanted(fields["wanted"]),
    )


def answer_to(answer: Answer | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    shape = answer.call
    return {
        "names": sorted(answer.names),
        "complete": answer.complete,
        "call": None
        if shape is None
        else {
            "keywords": sorted(shape.keywords),
            "positional": shape.positional,
            "any_keyword": shape.any_keyword,
            "any_positional": shape.any_positional,
        },
        "about": None if answer.about is None else asdict(answer.about),
        "kinds": dict(answer.kinds),
    }


def answer_from(fields: dict[str, Any] | None) -> Answer | None:
    if fields is None:
        return None
    call = fields["call"]
    shape = None
    if call is not None:
        shape = CallShape(
            frozenset(call["keywords"]),
            call["positional"],
            call["any_keyword"],
            call["any_positional"],
        )
    about = fields["about"]
    return Answer(
        frozenset(fields["names"]),
        fields["complete"],
        shape,
        About(**about) if about else None,
        {name: Kind(kind) for name, kind in fields["kinds"].items()},
    )
