"""What an analyst is asked and what it answers.

An analyst knows the meaning of a place in a file: which names exist there, what a call takes. It
must know nothing of tokens or models; whoever masks with an answer decides what to make of it.
"""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from retrieval.index.declarations import Kind, Kinds

STAND_IN = "pirouette_stand_in"  # a name that nobody has, put where one is asked for


class Wanted(Enum):
    """What is asked about a place."""

    NAMES = "names"  # the identifiers that may start there
    CALL = "call"  # what the call takes whose brackets are open there
    ABOUT = "about"  # what the name is that ends there


@dataclass(frozen=True, slots=True)
class Question:
    """A place in a file of the workspace `root`: the text up to it and the text behind it.

    The place is where an identifier starts: what is typed of it already is in neither text. One
    that is asked about ends there.
    """

    path: str
    root: str
    before: str
    after: str
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class CallShape:
    """What a call takes, over all that may be called here.

    `keywords` can be given by name, `positional` counts what can be given by place; `any_keyword`
    says that `**kwargs` takes further names, `any_positional` that `*args` takes further values.
    """

    keywords: frozenset[str]
    positional: int
    any_keyword: bool
    any_positional: bool


@dataclass(frozen=True, slots=True)
class About:
    """What a name is: how it is declared, on a line for each way to call it, and its documentation;
    either may be empty."""

    signature: str
    doc: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The names that are known, and whether these are all there can be.

    Where `complete` is false, more names may exist: nothing may be ruled out then. `call` is given
    for `Wanted.CALL` only, and `names` are then the names of its keywords; `about` for
    `Wanted.ABOUT`. `kinds` says what those of the names are of which that is known at no cost.
    """

    names: frozenset[str]
    complete: bool
    call: CallShape | None = None
    about: About | None = None
    kinds: Mapping[str, Kind] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Kinds, *, complete: bool) -> "Answer":
        """The names that may start at a place, with what is known of each."""
        kinds = {name: kind for name, kind in names.items() if kind is not None}
        return cls(frozenset(names), complete, kinds=kinds)


class Analyst(Protocol):
    """Whoever answers questions about places. Any thread may ask."""

    def ask(self, question: Question) -> "Future[Answer | None]":
        """Return at once; None comes where there is no answer, whatever the reason."""
        ...

    def close(self) -> None:
        """Stop for good; what is open, and whatever is asked later, gets None."""
        ...
