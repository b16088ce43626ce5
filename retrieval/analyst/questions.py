"""What static analysis is asked, and what it answers."""

from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Wanted(Enum):
    """Names that may begin at the place asked about, or the call whose brackets are open there."""

    NAMES = "names"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class Question:
    """About a place in a file: its text up to there, and the text behind."""

    path: str
    root: str
    before: str
    after: str
    wanted: Wanted = Wanted.NAMES


@dataclass(frozen=True, slots=True)
class Answer:
    """Names that may stand there; there may be others where it is not `complete`."""

    names: frozenset[str]
    complete: bool


class Analyst(Protocol):
    """Whoever answers questions."""

    def ask(self, question: Question) -> Future[Answer | None]:
        """Returns at once; the result is None where there is no answer."""
        ...
