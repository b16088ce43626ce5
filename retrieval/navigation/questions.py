"""What is asked about a name where it stands, and what is found; both as JSON as well.

Lines and columns count from 0, columns in characters. Nothing here knows who answers, nor how an
editor counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any


class Asked(Enum):
    """What is asked about a place."""

    HOVER = "hover"  # what the name there is
    SIGNATURES = "signatures"  # of the call whose brackets are open there
    DEFINITION = "definition"  # where the name comes from, imports followed
    DECLARATION = "declaration"  # where this file binds the name
    TYPE = "type"  # where the type of what it names is defined
    MEANT = "meant"  # where it is used in its file, and where it is declared
    REFERENCES = "references"  # where it is used in its file and in `files`


@dataclass(frozen=True, slots=True)
class Question:
    """A place in a file of the workspace `root`.

    `opened` has the texts of files that are not read from the disk, by path, the file of the
    question among them; `files` are those that references are looked for in.
    """

    asked: Asked
    path: str
    root: str
    line: int
    column: int
    opened: Mapping[str, str]
    files: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """A name in a file: `text` is the line that it stands on, from `start` to before `end`.

    `binds` says that the name is defined or assigned there, `is_file` that the whole file is meant.
    """

    path: str
    line: int
    start: int
    end: int
    text: str
    name: str
    binds: bool = False
    is_file: bool = False


@dataclass(frozen=True, slots=True)
class CallSignature:
    """One way to make a call: its `label`, which parts of it (from, to before) are the parameters,
    and the one that is being written, None where there is no such."""

    label: str
    doc: str
    parameters: Sequence[tuple[int, int]]
    active: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """What was found; `hidden` counts things that have no place in any source."""

    spans: Sequence[Span] = ()
    signatures: Sequence[CallSignature] = ()
    code: str = ""  # how the thing is declared, in Python
    doc: str = ""
    hidden: int = 0


NOTHING = Found()


@dataclass(frozen=True, slots=True)
class Sent:
    """A question on its way, with its number and the seconds that it may take."""

    number: int
    seconds: float
    question: Question = field(repr=False)


def question_to(sent: Sent) -> dict[str, Any]:
    question = sent.question
    fields = {name: getattr(question, name) for name in ("path", "root", "line", "column")}
    texts = {"opened": dict(question.opened), "files": list(question.files)}
    head = {"id": sent.number, "seconds": sent.seconds, "asked": question.asked.value}
    return head | fields | texts


def question_from(message: Mapping[str, Any]) -> Sent:
    fields = {name: message[name] for name in ("path", "root", "line", "column", "opened")}
    files = tuple(message["files"])
    question = Question(asked=Asked(message["asked"]), files=files, **fields)
    return Sent(message["id"], message["seconds"], question)


def found_to(found: Found | None) -> dict[str, Any] | None:
    return None if found is None else asdict(found)


def found_from(fields: Mapping[str, Any] | None) -> Found | None:
    if fields is None:
        return None
    signatures = [
        CallSignature(
            one["label"], one["doc"], [(a, b) for a, b in one["parameters"]], one["active"]
        )
        for one in fields["signatures"]
    ]
    spans = [Span(**span) for span in fields["spans"]]
    return Found(spans, signatures, fields["code"], fields["doc"], fields["hidden"])
